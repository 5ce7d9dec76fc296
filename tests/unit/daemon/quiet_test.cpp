#include "simulated.hpp"
#include "stepper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

constexpr std::int64_t kOperator = 1000;

struct Quieted : Simulated {
  explicit Quieted(simulation::Options options) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  [[nodiscard]] std::int64_t noted(const std::string& event) const {
    return std::ranges::count_if(world.notes, [&](const Note& note) { return note.event == event; });
  }
};

simulation::Options runs_of(std::chrono::microseconds time, int slots) {
  auto options = one_pool(1, slots);
  options.perform = [=](const queue::ClaimedJob&) { return simulation::Performance{.run_time = time}; };
  return options;
}

TEST(Quiet, STP_05_NothingIsClaimedRunningJobsGoOnAndPingsAreAnswered) {
  Quieted sim(runs_of(10s, 2));
  const auto running = sim->enqueue_many({.tenant = "acme"}, 2);
  sim->run_for(20ms);
  ASSERT_EQ(sim->running(), 2);
  sim->ask(QuietAsked{std::nullopt, kOperator});
  const auto waiting = sim->enqueue_many({.tenant = "acme"}, 5);
  sim->run_for(5min);  // ten times as long as a process may leave pings unanswered
  EXPECT_EQ(sim->starts.size(), 2U);
  for (const auto& id : running) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  for (const auto& id : waiting) EXPECT_EQ(sim->job(id).state, ShownState::ready);
  EXPECT_TRUE(processes_of<EndProcess>(sim.world).empty());
  EXPECT_TRUE(processes_of<Drain>(sim.world).empty());
}

TEST(Quiet, STP_05_ResumedItClaimsAgain) {
  Quieted sim(runs_of(1ms, 2));
  sim->ask(QuietAsked{std::nullopt, kOperator});
  (void)sim->enqueue_many({.tenant = "acme"}, 5);
  sim->run_for(10s);
  ASSERT_TRUE(sim->starts.empty());
  sim->ask(ResumeAsked{std::nullopt, kOperator});
  EXPECT_TRUE(sim.drains(1s));
  EXPECT_EQ(sim.noted("pool.quiet"), 1);
  EXPECT_EQ(sim.noted("pool.resumed"), 1);
}

TEST(Quiet, STP_05_WhatWasAssignedAheadComesBackUncharged) {
  Quieted sim(runs_of(300us, 2));
  const auto ids = sim->enqueue_many({.tenant = "acme"}, 1000);
  ASSERT_TRUE(
      sim->run_until([&] { return sim->starts.size() > 300 && sim->dispatcher().status().ahead > 10; }, 5s));
  sim->ask(QuietAsked{std::nullopt, kOperator});
  sim->run_for(100ms);
  const std::size_t started = sim->starts.size();
  EXPECT_EQ(sim->count(ShownState::running), 0);
  sim->run_for(10s);
  EXPECT_EQ(sim->starts.size(), started);
  sim->ask(ResumeAsked{std::nullopt, kOperator});
  EXPECT_TRUE(sim.drains(1h));
  for (const auto& id : ids) {
    const auto job = sim->job(id);
    EXPECT_EQ(job.releases + job.failures + job.crashes, 0);
  }
}

TEST(Quiet, STP_05_OnePoolAloneIsQuiet) {
  auto options = runs_of(1ms, 1);
  options.settings.pools = {PoolSettings{"first", 1, {"first"}}, PoolSettings{"second", 1, {"second"}}};
  Quieted sim(options);
  sim->ask(QuietAsked{1, kOperator});
  const auto first = sim->enqueue({.tenant = "acme", .queue = "first"});
  const auto second = sim->enqueue({.tenant = "acme", .queue = "second"});
  sim->run_for(10s);
  EXPECT_EQ(sim->job(first).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(second).state, ShownState::ready);
  sim->ask(ResumeAsked{0, kOperator});
  sim->run_for(10s);
  EXPECT_EQ(sim->job(second).state, ShownState::ready) << "the other one was resumed";
  sim->ask(ResumeAsked{1, kOperator});
  EXPECT_TRUE(sim.drains(1s));
}

// The answer to a round that had asked before comes after.
TEST(Quiet, STP_05_JobsOfAClaimThatWasUnderWayAreGivenBack) {
  Stepper stepper;
  stepper.come_to_claim();
  const auto claims = stepper.claims();
  ASSERT_EQ(claims.size(), 1U);
  stepper.step(QuietAsked{std::nullopt, kOperator});
  const Actions actions = stepper.answer_claims({Stepper::jobs_of(claims[0], 1)});
  EXPECT_FALSE(find<Assign>(actions));
  EXPECT_EQ(stepper.ends().size(), 1U) << "its claim ends with the next round";
}

TEST(Quiet, STP_05_AProcessThatComesLaterTakesNothingEither) {
  Quieted sim(runs_of(1ms, 1));
  sim->ask(QuietAsked{std::nullopt, kOperator});
  sim->kill_worker(ProcessNumber{1});
  (void)sim->enqueue({.tenant = "acme"});
  sim->run_for(10s);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{2}});
  EXPECT_TRUE(sim->starts.empty());
}

TEST(Quiet, ItIsKnownSinceWhenAndByWhom) {
  Quieted sim(runs_of(1ms, 1));
  EXPECT_EQ(sim->dispatcher().status().quiet_pools, 0);
  const WallTime asked = sim->wall();
  sim->ask(QuietAsked{std::nullopt, kOperator});
  sim->run_for(1min);
  sim->ask(QuietAsked{0, 1});
  EXPECT_EQ(sim->dispatcher().status().quiet_pools, 1);
  EXPECT_EQ(sim->dispatcher().crew().pools.at(0).quiet, (Quiet{asked, kOperator})) << "who asked first";
  EXPECT_EQ(sim->dispatcher().status().quiet, (Quiet{asked, kOperator}));
}

TEST(Quiet, AnotherDispatcherBeginsWithoutIt) {
  Quieted sim(runs_of(1ms, 1));
  sim->ask(QuietAsked{std::nullopt, kOperator});
  (void)sim->enqueue({.tenant = "acme"});
  sim->crash_dispatcher();
  sim->start();
  EXPECT_TRUE(sim.drains(10s));
}

TEST(Quiet, SuspectsWaitToo) {
  Quieted sim(runs_of(1h, 1));
  const auto id = sim->enqueue({.tenant = "acme"});
  sim->run_for(50ms);
  ASSERT_EQ(sim->running(), 1);
  sim->crash_dispatcher();
  sim->start();
  sim->ask(QuietAsked{std::nullopt, kOperator});
  sim->run_for(1min);
  EXPECT_EQ(sim->job(id).state, ShownState::blocked);
  sim->ask(ResumeAsked{std::nullopt, kOperator});
  sim->run_for(10s);
  EXPECT_EQ(sim->job(id).state, ShownState::running);
}

TEST(Quiet, AStopIsAsAnyOther) {
  Quieted sim(runs_of(100ms, 1));
  const auto id = sim->enqueue({.tenant = "acme"});
  sim->run_for(20ms);
  sim->ask(QuietAsked{std::nullopt, kOperator});
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

TEST(Crew, SaysWhatEachProcessPerformsForWhomAndSinceWhen) {
  Quieted sim(runs_of(10s, 1));
  const auto id = sim->enqueue({.tenant = "acme"});
  sim->set_memory(4096);
  sim->run_for(20ms);
  const Instant started = sim->starts.at(0).at;
  sim->run_for(6s);  // a ping is answered meanwhile
  const CrewStatus crew = sim->dispatcher().crew();
  ASSERT_EQ(crew.processes.size(), 1U);
  const ProcessStatus& process = crew.processes[0];
  EXPECT_EQ(process.number, ProcessNumber{1});
  EXPECT_EQ(process.phase, Phase::ready);
  EXPECT_EQ(process.slots, 1);
  EXPECT_EQ(process.memory, 4096);
  ASSERT_EQ(process.jobs.size(), 1U);
  EXPECT_EQ(process.jobs[0].id, id);
  EXPECT_EQ(process.jobs[0].tenant, "acme");
  EXPECT_EQ(process.jobs[0].kind, "job");
  ASSERT_TRUE(process.jobs[0].since);
  EXPECT_LE(started - *process.jobs[0].since, 1ms);
}

TEST(Drained, ItEndsWhenItsJobHasAndAnotherOneStartsAtOnce) {
  Quieted sim(runs_of(1s, 1));
  const auto id = sim->enqueue({.tenant = "acme"});
  sim->run_for(20ms);
  sim->ask(DrainAsked{ProcessNumber{1}, kOperator});
  const auto next = sim->enqueue({.tenant = "acme"});
  sim->run_for(100ms);
  EXPECT_EQ(sim->job(next).state, ShownState::running) << "in the new one";
  EXPECT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim->job(id).crashes, 0);
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{2}});
  EXPECT_EQ(sim.noted("worker.drained"), 1);
}

TEST(Recycled, TheProcessesOfOnePoolAreReplacedOneByOneAndNoJobIsInterrupted) {
  auto options = runs_of(300ms, 1);
  options.settings.pools = {PoolSettings{"first", 2, {"first"}}, PoolSettings{"second", 1, {"second"}}};
  Quieted sim(options);
  const auto ids = sim->enqueue_many({.tenant = "acme", .queue = "first"}, 2);
  sim->run_for(20ms);
  sim->ask(RecycleAsked{0, kOperator});
  EXPECT_TRUE(sim.drains(10s));
  sim->run_for(1s);
  EXPECT_EQ(sim->live_workers(), (std::vector{ProcessNumber{3}, ProcessNumber{4}, ProcessNumber{5}}));
  for (const auto& id : ids) EXPECT_EQ(sim->job(id).crashes, 0);
  EXPECT_EQ(sim.noted("worker.replaced"), 2);
}

}  // namespace
}  // namespace tenure::daemon
