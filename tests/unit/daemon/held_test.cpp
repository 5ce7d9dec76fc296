#include "held_notes.hpp"
#include "simulated.hpp"
#include "told_pools.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

// Jobs that nobody can perform: what the store is told for those who look, what an operator is told, and that they start when somebody
// comes.
namespace tenure::daemon {
namespace {

using queue::JobReason;
using queue::PoolRecord;

// A simulation that counts what is told.
struct HeldSimulation : Simulated {
  explicit HeldSimulation(simulation::Options options) : Simulated(std::move(options)) {
    world.on_step = [this](const Event&, const Actions& actions) {
      for (const Action& action : actions)
        if (const auto* const round = std::get_if<RunRound>(&action))
          if (round->work->ask<PoolsPart>()) ++tellings;
    };
  }
  void replace_one(std::vector<std::string> kinds) {
    world.run_for(2s);  // a process that ends sooner without a job is not replaced at once
    world.set_kinds(std::move(kinds));
    world.kill_worker(world.live_workers().front());
    world.run_for(50ms);
  }
  [[nodiscard]] std::vector<std::string> notes_of(const std::string& event) const {
    std::vector<std::string> names;
    for (const Note& note : world.notes)
      if (note.event == event) names.push_back(event == "kind.unknown" ? note.kind : note.queue);
    return names;
  }
  int tellings = 0;
};

// One process of one slot, up.
struct HeldJobs : ::testing::Test {
  HeldJobs() {
    sim->start();
    sim->run_for(50ms);
  }
  [[nodiscard]] queue::JobRecord job(queue::JobId id) { return sim->job(id); }
  HeldSimulation sim{one_pool(1, 1)};
};

TEST_F(HeldJobs, RTY_05_AJobOfAnUnknownKindIsHeldUnchargedAndStartsWhenAWorkerWithItSaysHello) {
  const auto id = sim->enqueue({.kind = "report"});
  sim->run_for(24h);
  EXPECT_EQ(job(id).state, ShownState::held);
  EXPECT_EQ(job(id).reason, JobReason::kind_unknown);
  EXPECT_EQ(job(id).failures + job(id).crashes + job(id).releases, 0);
  EXPECT_TRUE(sim->starts.empty());
  sim.replace_one({"job", "report"});
  EXPECT_EQ(job(id).state, ShownState::succeeded);
}

TEST_F(HeldJobs, RTY_05_AJobInAQueueThatNoPoolListsIsHeldUncharged) {
  const auto id = sim->enqueue({.queue = "exports"});
  sim->run_for(1h);
  EXPECT_EQ(job(id).state, ShownState::held);
  EXPECT_EQ(job(id).reason, JobReason::queue_without_pool);
  EXPECT_EQ(job(id).releases, 0);
}

TEST(HeldWithoutWorker, RTY_05_AJobWaitsForAWorkerAsLongAsItTakes) {
  auto options = one_pool(1, 1);
  bool starts = false;
  options.starts = [&](ProcessNumber) { return starts; };
  HeldSimulation sim(options);
  sim->start();
  const auto id = sim->enqueue({});
  sim->run_for(24h);
  EXPECT_EQ(sim->job(id).state, ShownState::held);
  EXPECT_EQ(sim->job(id).reason, JobReason::pool_without_worker);
  EXPECT_TRUE(sim.notes_of("kind.unknown").empty());
  starts = true;
  EXPECT_TRUE(sim.drains(1min));
}

TEST(HeldByDefault, RTY_05_AQueueThatAKindNamesAndNoPoolListsIsToldAtTheFirstHelloOnly) {
  simulation::Options options = one_pool(2, 1);
  options.default_queue = "exports";
  HeldSimulation sim{std::move(options)};
  sim->start();
  sim->run_for(50ms);
  EXPECT_EQ(sim.notes_of("queue.without_pool"), std::vector<std::string>{"exports"});
  sim.replace_one({"job"});
  EXPECT_EQ(sim.notes_of("queue.without_pool").size(), 1U);
  std::vector<PoolRecord> pools;
  sim.store->read([&](queue::JobReader& reader) { pools = reader.pools(); });
  EXPECT_EQ(pools, (std::vector<PoolRecord>{{"default",
                                             {"default"},
                                             2,
                                             {"job"},
                                             {"exports"},
                                             {{ProcessNumber{2}, 1}, {ProcessNumber{3}, 1}}}}));
}

// It knows nothing of further pools of its configuration, which may list the queue.
TEST(HeldByDefault, AProgramThatWasStartedByHandSpeaksOfTheOnePoolThatItServes) {
  for (const bool by_hand : {false, true}) {
    simulation::Options options = one_pool(1, 1);
    options.default_queue = "exports";
    options.settings.can_end_processes = !by_hand;
    HeldSimulation sim{std::move(options)};
    sim->start();
    sim->run_for(50ms);
    (void)sim->enqueue({.queue = "reports"});
    sim->run_for(1min);
    std::vector<std::string> told;
    for (const Note& note : sim.world.notes)
      if (note.event == "queue.without_pool") told.push_back(note.message);
    ASSERT_EQ(told.size(), 2U);
    const std::string_view words =
        by_hand ? "the first pool, the only one that a program started by hand serves, does not list it"
                : "no pool lists it";
    for (const std::string& line : told) EXPECT_NE(line.find(words), std::string::npos) << line;
  }
}

TEST_F(HeldJobs, OBS_12_RTY_05_OneWarningWithinAMinuteAndTheNextAfterAnHour) {
  (void)sim->enqueue_many({.kind = "report"}, 3);
  (void)sim->enqueue({.queue = "exports"});
  sim->run_for(1min);
  EXPECT_EQ(sim.notes_of("kind.unknown"), std::vector<std::string>{"report"});
  EXPECT_EQ(sim.notes_of("queue.without_pool"), std::vector<std::string>{"exports"});
  (void)sim->enqueue_many({.kind = "report"}, 3);
  sim->run_for(58min);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), 1U);
  sim->run_for(2min);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), 2U);
  EXPECT_EQ(sim.notes_of("queue.without_pool").size(), 2U);
}

// That its tenant may only be read does not hide that nobody performs it.
TEST_F(HeldJobs, AKindThatNobodyPerformsIsToldOfAReadOnlyTenantToo) {
  sim->create_tenant("acme");
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_TRUE(writer.set_read_only(TenantName("acme"), true));
  });
  (void)sim->enqueue({.tenant = "acme"});
  (void)sim->enqueue({.tenant = "acme", .kind = "report"});
  sim->run_for(1min);
  EXPECT_EQ(sim.notes_of("kind.unknown"), std::vector<std::string>{"report"});
}

TEST_F(HeldJobs, RTY_05_AKindThatComesWithADeployIsNoWarning) {
  (void)sim->enqueue({.kind = "report"});
  sim->run_for(kHeldToldAfter / 2);
  sim.replace_one({"job", "report"});
  sim->run_for(2h);
  EXPECT_TRUE(sim.notes_of("kind.unknown").empty());
}

TEST_F(HeldJobs, AKindThatIsHeldAgainWithinTheHourIsNotToldAgain) {
  (void)sim->enqueue({.kind = "report"});
  sim->run_for(1min);
  sim.replace_one({"job", "report"});
  sim->run_for(1min);
  sim.replace_one({"job"});
  (void)sim->enqueue({.kind = "report"});
  sim->run_for(30min);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), 1U);
  sim->run_for(1h);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), 2U);
}

TEST_F(HeldJobs, OneLookTellsSoManyAtMostAndTheOthersCome) {
  const auto kinds = 2 * kHeldNotesMax + 1;
  for (std::size_t kind = 0; kind < kinds; ++kind) (void)sim->enqueue({.kind = "k" + std::to_string(kind)});
  sim->run_for(kHeldLook * 2 + 1s);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), kHeldNotesMax);
  sim->run_for(kHeldLook * 2);
  EXPECT_EQ(sim.notes_of("kind.unknown").size(), kinds);
}

TEST_F(HeldJobs, JobsTellTheStoreNothingAndACrashOnceWhoCameInItsPlace) {
  const int at_first = sim.tellings;
  EXPECT_EQ(at_first, 2) << "at the start, and at the hello";
  sim.replace_one({"job"});
  EXPECT_EQ(sim.tellings, at_first + 1);
  const int before = sim.tellings;
  (void)sim->enqueue_many({}, 500);
  (void)sim->enqueue({.kind = "report"});
  sim->run_for(5min);
  EXPECT_EQ(sim.tellings, before);
  sim.replace_one({"job", "report"});
  EXPECT_EQ(sim.tellings, before + 1);
}

TEST_F(HeldJobs, WhatTheStoreCouldNotBeToldIsToldAgain) {
  sim->run_for(2s);
  sim->set_kinds({"job", "report"});
  sim->kill_worker(sim->live_workers().front());
  sim->fail_next_rounds(3);
  const auto id = sim->enqueue({.kind = "other"});
  sim->run_for(10s);
  std::vector<PoolRecord> pools;
  sim.store->read([&](queue::JobReader& reader) { pools = reader.pools(); });
  EXPECT_EQ(pools,
            (std::vector<PoolRecord>{
                {"default", {"default"}, 1, {"job", "report"}, {"default"}, {{ProcessNumber{2}, 1}}}}));
  EXPECT_EQ(job(id).reason, JobReason::kind_unknown);
}

TEST(ToldPoolsTest, AHelloIsToldAtOnceAndALossWhenItLasts) {
  const auto pools = [](std::int64_t workers) {
    return std::vector<PoolRecord>{{"general", {"default"}, workers, {}}};
  };
  Instant now{1s};
  ToldPools told(pools(0));
  ASSERT_TRUE(told.due(now)) << "a new dispatcher's first words";
  told.told(pools(0), now);
  EXPECT_FALSE(told.due(now));
  told.came(pools(1), now);
  ASSERT_TRUE(told.due(now));
  told.told(pools(1), now);
  told.went(pools(0), now);
  EXPECT_FALSE(told.due(now));
  EXPECT_EQ(told.next_at(), now + kLossToldAfter);
  told.came(pools(1), now + 100ms);
  EXPECT_FALSE(told.next_at()) << "it is as it was told";
  told.went(pools(0), now);
  now = now + kLossToldAfter;
  ASSERT_TRUE(told.due(now));
  told.came(pools(2), now);
  told.told(pools(0), now);
  ASSERT_TRUE(told.due(now)) << "it has changed on the way";
  EXPECT_EQ(told.due(now)->front().workers, 2);
}

}  // namespace
}  // namespace tenure::daemon
