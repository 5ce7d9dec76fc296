#include "faulty_run.hpp"
#include "key_looks.hpp"
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

// Concurrency keys and unique keys, by the whole dispatcher.
namespace tenure::daemon {
namespace {

simulation::JobSpec keyed(int running_max, std::string kind = "job") {
  simulation::JobSpec spec;
  spec.kind = std::move(kind);
  spec.concurrency = ConcurrencyKey{"reports", running_max};
  return spec;
}

simulation::Options with_run_time(int processes, int slots, std::chrono::microseconds run_time) {
  auto options = one_pool(processes, slots);
  options.perform = [run_time](const queue::ClaimedJob&) {
    return simulation::Performance{.run_time = run_time};
  };
  return options;
}

TEST(Keys, LIM_01_ThousandJobsOfOneKeyNeverOverlapThroughCrashesReleasesAndRetries) {
  for (std::uint64_t seed = 1; seed <= seeds(3); ++seed) {
    Random random(seed);
    auto options = one_pool(4, 2, seed);
    options.settings.stop_deadline = 50ms;
    bool is_quiet = false;
    options.perform = [&](const queue::ClaimedJob&) {
      return is_quiet ? simulation::Performance{} : any_performance(random);
    };
    Simulated sim(options);
    (void)sim->enqueue_many(keyed(1), 1000);
    sim->start();
    for (int trouble = 0; trouble < 150; ++trouble) {
      sim->run_for(std::chrono::microseconds{1 + random.below(4'000)});
      if (!sim->is_up() || sim->has_left()) sim->start();
      const auto workers = sim->live_workers();
      switch (random.below(4)) {
        case 0:
          if (!workers.empty()) sim->kill_worker(workers[random.below(workers.size())]);
          break;
        case 1:
          if (random.below(4) == 0) sim->crash_dispatcher();
          break;
        case 2:
          if (sim->is_up() && random.below(4) == 0) sim->stop(StopAsked::How::at_once);
          break;
        default:
          sim->fail_next_rounds(1);
          break;
      }
    }
    is_quiet = true;
    if (!sim->is_up() || sim->has_left()) sim->start();
    for (int hours = 0; hours < 24 * 7 && !sim->is_idle(); ++hours) {
      (void)sim.drains(1h);
      if (!sim->is_up() || sim->has_left()) sim->start();
    }
    const auto verdict = sim->verdict();
    EXPECT_TRUE(verdict.is_clean()) << sim->verdict_line();
    EXPECT_EQ(sim->performing_max, 1);
    EXPECT_GT(sim->faults.workers_killed, 0);
    EXPECT_GT(sim->faults.dispatchers_crashed, 0);
  }
}

TEST(Keys, LIM_02_ALimitWithWorkWaitingIsReachedAgainAfterEveryDisturbance) {
  Simulated sim(with_run_time(3, 2, 50ms));
  const auto jobs = sim->enqueue_many(keyed(3), 400);
  sim->start();
  const auto is_reached = [&] { return sim->run_until([&] { return sim->running() == 3; }, 3s); };
  ASSERT_TRUE(is_reached());
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    const auto workers = sim->live_workers();
    switch (round % 6) {
      case 0:
        sim->kill_worker(workers.front());
        break;
      case 1:
        sim->crash_dispatcher();
        sim->start();
        break;
      case 2:
        for (std::size_t job = 0; job < 30; ++job)
          sim->cancel(jobs[jobs.size() - 1 - static_cast<std::size_t>(round) * 30 / 2 - job]);
        break;
      case 3:
        sim->fail_next_rounds(2);
        break;
      case 4:
        sim->tell_worker_to_end(workers.front());
        break;
      default:
        sim->hang_worker(workers.front());
        sim->kill_worker(workers.back());
        break;
    }
    sim->run_for(20ms);
    ASSERT_TRUE(is_reached());
    ASSERT_TRUE(sim->run_until([&] { return sim->running() < 3; }, 40s));
    ASSERT_TRUE(is_reached());
  }
  ASSERT_TRUE(sim.drains(10min));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  EXPECT_LE(sim->performing_max, 3);
}

TEST(Keys, WhoIsNextStartsAtOnceWhenTheOneBeforeHasEnded) {
  Simulated sim(with_run_time(1, 4, 10ms));
  (void)sim->enqueue_many(keyed(1), 5);
  sim->start();
  ASSERT_TRUE(sim.drains(1s));
  ASSERT_EQ(sim->starts.size(), 5U);
  for (std::size_t start = 1; start < 5; ++start)
    EXPECT_LT(sim->starts[start].at - sim->starts[start - 1].at, 11ms) << start;
}

TEST(Keys, AKeyIsNotKeptByAJobThatNobodyPerforms) {
  Simulated sim(with_run_time(1, 2, 10ms));
  const auto holder = sim->enqueue(keyed(1));
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 1; }, 1s));
  const auto unknown = sim->enqueue(keyed(1, "unknown"));
  const auto known = sim->enqueue(keyed(1));
  ASSERT_TRUE(sim->run_until([&] { return sim->job(known).finished.has_value(); }, kKeyLookEach + 2s));
  EXPECT_TRUE(sim->job(holder).finished.has_value());
  EXPECT_EQ(sim->job(unknown).state, ShownState::held) << "the key is free, and its kind is what holds it";
}

TEST(Keys, TenantsOnAGlobalKeyTakeTurnsThoughOneHasManyJobs) {
  Simulated sim(with_run_time(2, 2, 10ms));
  for (const char* name : {"acme", "bolt", "crane"}) sim->create_tenant(name);
  auto spec = keyed(1);
  spec.concurrency->is_global = true;
  spec.tenant = "acme";
  (void)sim->enqueue_many(spec, 50);
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() >= 3; }, 5s));
  const std::size_t before = sim->starts.size();
  for (const char* name : {"bolt", "crane"}) {
    spec.tenant = name;
    (void)sim->enqueue_many(spec, 5);
  }
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() >= before + 12; }, 5s));
  std::set<std::string> in_turn;
  for (std::size_t start = before + 2; start < before + 5; ++start) in_turn.insert(sim->starts[start].tenant);
  EXPECT_EQ(in_turn.size(), 3U);
  ASSERT_TRUE(sim.drains(5s));
  EXPECT_EQ(sim->performing_max, 1);
}

// The commit that frees the key knows of none of these gates.
TEST(Keys, AFreeKeyPassesHundredTenantsWhoseLanesAreGatedAtOnce) {
  auto options = with_run_time(1, 2, 10ms);
  options.settings.limits = {{.name = "crawl",
                              .target = {.kind = "slow", .per = {.tenant = true}},
                              .bounds = {.rate = StartRate{1, 1h}}}};
  options.kinds = {"job", "slow"};
  Simulated sim(options);
  auto spec = keyed(1, "slow");
  spec.concurrency->is_global = true;
  std::vector<std::string> tenants;
  for (int tenant = 0; tenant < 100; ++tenant) tenants.push_back("t" + std::to_string(1000 + tenant));
  for (const std::string& tenant : tenants) {
    sim->create_tenant(tenant);
    spec.tenant = tenant;
    (void)sim->enqueue(spec);
  }
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->starts.size() == 100; }, 1min));
  sim->run_for(1s);
  // Each tenant has used its rate up; then two jobs of each, so that nobody passes by chance.
  sim->create_tenant("zebra");
  spec.tenant = "zebra";
  spec.kind = "job";
  const auto holder = sim->enqueue(spec);
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 1; }, 1s));
  for (const std::string& tenant : tenants) {
    spec.tenant = tenant;
    spec.kind = "slow";
    (void)sim->enqueue_many(spec, 2);
  }
  spec.tenant = "zebra";
  spec.kind = "job";
  const auto waits = sim->enqueue(spec);
  ASSERT_TRUE(sim->run_until([&] { return sim->job(waits).finished.has_value(); }, 1s));
  EXPECT_TRUE(sim->job(holder).finished.has_value());
  EXPECT_EQ(sim->performing_max, 1);
}

TEST(Keys, AKeyWhoseJobStandsAtACapIsFreeForOneThatDoesNot) {
  auto options = with_run_time(1, 4, 5s);
  options.settings.limits = {{.name = "one", .target = {.kind = "slow"}, .bounds = {.running = 1}}};
  options.kinds = {"job", "slow"};
  Simulated sim(options);
  const auto holder = sim->enqueue(keyed(1));
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 1; }, 1s));
  sim->run_for(2s);
  (void)sim->enqueue({.kind = "slow"});
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 2; }, 1s));
  const auto at_cap = sim->enqueue(keyed(1, "slow"));
  const auto open = sim->enqueue(keyed(1));
  ASSERT_TRUE(sim->run_until([&] { return sim->job(holder).finished.has_value(); }, 4s));
  sim->run_for(100ms);
  EXPECT_EQ(sim->job(open).state, ShownState::running);
  EXPECT_EQ(sim->job(at_cap).state, ShownState::held);
  ASSERT_TRUE(sim.drains(1min));
}

TEST(Keys, ALimitPerKeyHoldsAndAChangeOfItAtOnce) {
  auto options = with_run_time(2, 5, 10s);
  options.settings.limits = {{.name = "keys", .target = {.per = {.key = true}}, .bounds = {.running = 2}}};
  Simulated sim(options);
  (void)sim->enqueue_many(keyed(10), 40);
  sim->start();
  sim->run_for(1s);
  EXPECT_EQ(sim->running(), 2);
  const auto set = [&](std::int64_t running) {
    sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(
          value_or_raise(writer.set_limit({.name = "keys", .bounds = {.running = running}}, sim->wall())));
    });
    sim->hint();
  };
  set(7);
  sim->run_for(50ms);
  EXPECT_EQ(sim->running(), 7);
  set(1);
  sim->run_for(15s);
  EXPECT_EQ(sim->running(), 1);
}

TEST(Keys, ALimitPerKeyIsToldWithTheOthers) {
  auto options = with_run_time(1, 2, 10ms);
  options.settings.limits = {{.name = "keys", .target = {.per = {.key = true}}, .bounds = {.running = 2}},
                             {.name = "one", .target = {.kind = "slow"}, .bounds = {.running = 1}}};
  Simulated sim(options);
  const auto told = [&] {
    std::string last;
    for (const Note& note : sim->notes)
      if (note.event == "limit.changed") last = note.message;
    return last;
  };
  sim->start();
  sim->run_for(1s);
  EXPECT_EQ(told(), "Limits that hold from now on: keys (2 run), one (1 run).");
  Reconfigured event{.poll = 1s, .stop_deadline = 25s, .ping_max = 30s, .pools = {{.processes = 1}}};
  event.limits = {options.settings.limits->front()};
  sim->reload(event);
  sim->run_for(2s);
  EXPECT_EQ(told(), "Limits that hold from now on: keys (2 run).");
  event.limits->clear();
  sim->reload(event);
  sim->run_for(2s);
  EXPECT_EQ(told(), "No limit holds any more.");
}

// More ends than the cap has room for, each of which hands its key on.
TEST(Keys, WhereACapIsFullOneRoundLooksAtFewLines) {
  auto options = with_run_time(2, 10, 100ms);
  options.settings.limits = {{.name = "jobs", .target = {.kind = "job"}, .bounds = {.running = 20}}};
  Simulated sim(options);
  for (int key = 0; key < 20; ++key) {
    simulation::JobSpec spec;
    spec.concurrency = ConcurrencyKey{"k" + std::to_string(key), 1};
    (void)sim->enqueue_many(spec, 3);
  }
  std::size_t most = 0;
  std::set<queue::JobSeq> passed;
  sim->on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions)
      if (const auto* const round = std::get_if<RunRound>(&action))
        if (const auto& turns = round->work->ask<PassedTurnsPart>()) {
          most = std::max(most, turns->size());
          for (const KeyTurn& turn : *turns) passed.insert(turn.seq);
        }
  };
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 20; }, 1s));
  sim.store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(
        value_or_raise(writer.set_limit({.name = "jobs", .bounds = {.running = 1}}, sim->wall())));
  });
  sim->hint();
  sim->run_for(300ms);
  EXPECT_GT(passed.size(), 10U) << "the others in the next rounds";
  EXPECT_LE(most, 4U);
}

TEST(KeyLooks, BeginAgainOnlyWhereLimitsPerKeyAreOthers) {
  KeyLooks looks;
  const Instant start{};
  EXPECT_FALSE(looks.are_due(start));
  looks.set_limits({}, start);
  EXPECT_FALSE(looks.are_due(start + 1s));
  const std::vector<queue::OpenLimit> limits{{.name = "keys", .bounds = {.running = 2}}};
  looks.set_limits(limits, start + 1s);
  ASSERT_TRUE(looks.are_due(start + 1s));
  looks.read("", std::nullopt, start + 1s);
  looks.set_limits(limits, start + 2s);
  EXPECT_FALSE(looks.are_due(start + 2s));
}

TEST(KeyLooks, BeginAgainAtTheFrontWhereMoreMayRun) {
  KeyLooks looks;
  const Instant start{};
  EXPECT_FALSE(looks.are_due(start));
  looks.read("", "7/reports", start);
  looks.soon(start + 1s);
  EXPECT_TRUE(looks.are_due(start + 1s));
  EXPECT_EQ(looks.after(), "");
  EXPECT_TRUE(looks.is_hurried());
  looks.read("7/reports", "9/reports", start + 1s);  // asked for before
  EXPECT_EQ(looks.after(), "");
  EXPECT_TRUE(looks.are_due(start + 1s));
  looks.read("", "7/reports", start + 1s);
  EXPECT_EQ(looks.after(), "7/reports");
  EXPECT_TRUE(looks.is_hurried()) << "until all are read";
  looks.read("7/reports", std::nullopt, start + 1s);
  EXPECT_FALSE(looks.is_hurried());
  EXPECT_FALSE(looks.are_due(start + 2s));
}

TEST(KeyLooks, AreDueEachTenSecondsAndReadPageByPage) {
  KeyLooks looks;
  const Instant start{};
  EXPECT_FALSE(looks.are_due(start)) << "not while a start has other work";
  EXPECT_FALSE(looks.are_due(start + kKeyLookEach - 1us));
  ASSERT_TRUE(looks.are_due(start + kKeyLookEach));
  EXPECT_EQ(looks.after(), "");
  looks.read("", "7/reports", start + kKeyLookEach);
  EXPECT_TRUE(looks.are_due(start + kKeyLookEach)) << "there is more";
  EXPECT_EQ(looks.after(), "7/reports");
  looks.read("7/reports", std::nullopt, start + kKeyLookEach);
  EXPECT_FALSE(looks.are_due(start + 2 * kKeyLookEach - 1us));
  EXPECT_TRUE(looks.are_due(start + 2 * kKeyLookEach));
  EXPECT_EQ(looks.after(), "");
}

}  // namespace
}  // namespace tenure::daemon
