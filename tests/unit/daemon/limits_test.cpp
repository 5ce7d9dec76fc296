#include "limited.hpp"

// Caps and rates, by the whole dispatcher on both stores.
namespace tenure::daemon {
namespace {

struct Limits : ::testing::TestWithParam<OnStore> {};

TEST_P(Limits, LIM_09_CapsOfTenantKindAndQueueHoldTogetherWithKeys) {
  Limited sim(GetParam(),
              with_limits({{.name = "tenant", .target = {.per = {.tenant = true}}, .bounds = {.running = 3}},
                           {.name = "fast", .target = {.kind = "fast"}, .bounds = {.running = 4}},
                           {.name = "exports", .target = {.queue = "exports"}, .bounds = {.running = 2}},
                           {.name = "slow-of-tenant",
                            .target = {.kind = "sl*", .per = {.tenant = true, .kind = true}},
                            .bounds = {.running = 1}}}));
  for (const char* const tenant : {"acme", "bolt", "crane"})
    for (const char* const kind : {"fast", "job", "slow"})
      for (const char* const queue : {"default", "exports"}) {
        simulation::JobSpec spec{.tenant = tenant, .queue = queue, .kind = kind};
        (void)sim.world.enqueue_many(spec, 10);
        spec.concurrency = ConcurrencyKey{"one", 1, true};
        (void)sim.world.enqueue_many(spec, 3);
      }
  sim.world.start();
  ASSERT_TRUE(sim.drains(2min));
  EXPECT_TRUE(sim.world.verdict().is_clean()) << sim.world.verdict_line();
  for (const char* const tenant : {"acme", "bolt", "crane"}) {
    EXPECT_EQ(most_performing(sim, tenant, "", 50ms), 3) << tenant;
    EXPECT_EQ(most_performing(sim, tenant, "slow", 50ms), 1) << tenant;
  }
  EXPECT_EQ(most_performing(sim, "", "fast", 50ms), 4);
  EXPECT_GT(sim.world.keyed_beside_others, 0);
}

TEST_P(Limits, AFullCapLetsOthersPastAndIsReachedAgainAfterEachEnd) {
  Limited sim(GetParam(),
              with_limits({{.name = "slow", .target = {.kind = "slow"}, .bounds = {.running = 2}}}));
  const auto limited = sim.world.enqueue_many({.tenant = "acme", .kind = "slow"}, 20);
  const auto others = sim.world.enqueue_many({.tenant = "acme", .kind = "fast"}, 20);
  sim.world.start();
  sim.world.run_for(300ms);
  EXPECT_EQ(most_performing(sim, "", "slow", 50ms), 2);
  for (const auto& id : others) EXPECT_EQ(sim.world.job(id).state, ShownState::succeeded);
  ASSERT_TRUE(sim.drains(1s));
  // Two at a time without a pause between: no slot is lost to waiting for a look.
  EXPECT_LT(sim.world.starts.back().at - sim.world.starts.front().at, 9 * 50ms + 20ms);
  for (const auto& id : limited) EXPECT_EQ(sim.world.job(id).state, ShownState::succeeded);
}

TEST_P(Limits, LIM_15_AChangeHoldsFromTheNextClaimOnAndStopsNothing) {
  Limited sim(GetParam(),
              with_limits({{.name = "jobs", .target = {.kind = "job"}, .bounds = {.running = 4}}}, 10s));
  (void)sim.world.enqueue_many({.tenant = "acme"}, 40);
  sim.world.start();
  sim.world.run_for(1s);
  EXPECT_EQ(sim.world.running(), 4);
  sim.set("jobs", {.running = 6});
  sim.world.run_for(10ms);
  EXPECT_EQ(sim.world.running(), 6);
  sim.set("jobs", {.running = 1});
  sim.world.run_for(8s);
  EXPECT_EQ(sim.world.running(), 6);  // lowered below what runs: nothing is stopped
  EXPECT_TRUE(moments<GiveStopToken>(sim.world).empty());
  sim.world.run_for(4s);
  EXPECT_EQ(sim.world.running(), 1);
  // The operator's word stays through a restart that declares the configuration's again, until it is unset.
  sim.world.crash_dispatcher();
  sim.world.start();
  sim.world.run_for(5s);
  EXPECT_EQ(sim.world.running(), 1);
  sim.unset("jobs");
  sim.world.run_for(10ms);
  EXPECT_EQ(sim.world.running(), 4);
}

TEST_P(Limits, WithoutAHintAChangeHoldsWithTheNextLook) {
  Limited sim(GetParam(),
              with_limits({{.name = "jobs", .target = {.kind = "job"}, .bounds = {.running = 1}}}, 10s));
  (void)sim.world.enqueue_many({.tenant = "acme"}, 10);
  sim.world.start();
  sim.world.run_for(1s);
  sim.set("jobs", {.running = 3}, false);
  sim.world.run_for(2s);
  EXPECT_EQ(sim.world.running(), 3);
}

TEST_P(Limits, AReloadTakesOverWhatTheConfigurationSays) {
  Limited sim(GetParam(),
              with_limits({{.name = "jobs", .target = {.kind = "job"}, .bounds = {.running = 1}}}, 10s));
  (void)sim.world.enqueue_many({.tenant = "acme"}, 10);
  sim.world.start();
  sim.world.run_for(1s);
  ASSERT_EQ(sim.world.running(), 1);
  Reconfigured event{.poll = 1s, .stop_deadline = 25s, .ping_max = 30s, .pools = {{.processes = 3}}};
  event.limits.emplace();
  sim.world.reload(event);
  sim.world.run_for(100ms);
  EXPECT_EQ(sim.world.running(), 10);
  std::vector<queue::LimitRecord> left;
  sim.store().read([&](queue::JobReader& reader) { left = reader.limits(); });
  EXPECT_TRUE(left.empty());
}

TEST_P(Limits, LIM_10_NoWindowHasMoreStartsThanItsRateAlsoOverARestart) {
  constexpr StartRate kRate{10, 1s};
  auto options = with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = kRate}}}, 1ms);
  Limited sim(GetParam(), options);
  std::int64_t news = 0;
  sim.world.on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions)
      if (const auto* const round = std::get_if<RunRound>(&action))
        if (const auto& notes = round->work->ask<StartsPart>())
          news += std::ranges::count_if(*notes, &queue::BucketNote::is_news);
  };
  const auto jobs = sim.world.enqueue_many({.tenant = "acme"}, 95);
  const auto last = jobs.back();
  sim.world.start();
  sim.world.run_for(500ms);
  // Used up: it is said until when, and nobody asks again and again.
  ASSERT_EQ(sim.world.starts.size(), 10U);
  const auto why = sim.why(last);
  const auto rate = std::ranges::find(why, JobReason::limit_rate, &queue::WaitReason::reason);
  ASSERT_NE(rate, why.end());
  ASSERT_TRUE(rate->until);
  EXPECT_GT(*rate->until, sim.world.wall());
  EXPECT_LE(*rate->until, sim.world.wall() + 600ms);
  const auto rounds = sim.world.rounds;
  sim.world.run_for(400ms);
  EXPECT_EQ(sim.world.rounds, rounds);
  // Restarts at any moment, also such as forget what was not stored.
  Random random(7);
  for (int restart = 0; restart < 6; ++restart) {
    sim.world.run_for(std::chrono::microseconds{1 + random.below(900'000)});
    sim.world.crash_dispatcher();
    sim.world.start();
  }
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_LE(sim.most_starts(1s), 10);
  EXPECT_TRUE(sim.world.verdict().is_clean()) << sim.world.verdict_line();
  EXPECT_LE(news, 95);  // a bucket of this rate takes one start
}

TEST_P(Limits, ARateInBucketsOfSeveralWritesEachWhenItIsOpenedAndWhenItIsTheLast) {
  constexpr StartRate kRate{800, 1s};  // in buckets of 100
  Limited sim(GetParam(),
              with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = kRate}}}, 1ms));
  std::int64_t news = 0;
  sim.world.on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions)
      if (const auto* const round = std::get_if<RunRound>(&action))
        if (const auto& notes = round->work->ask<StartsPart>())
          news += std::ranges::count_if(*notes, &queue::BucketNote::is_news);
  };
  (void)sim.world.enqueue_many({.tenant = "acme"}, 2400);
  sim.world.start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_LE(sim.most_starts(1s), 800);
  EXPECT_LE(news, 2 * 2400 / 100);
  // As fast as the rate allows, nearly: its parts cost little of it.
  EXPECT_LT(sim.world.starts.back().at - sim.world.starts.front().at, 2500ms);
}

TEST_P(Limits, ARateOfEachTenantIsItsOwn) {
  Limited sim(GetParam(), with_limits({{.name = "paced",
                                        .target = {.kind = "job", .per = {.tenant = true}},
                                        .bounds = {.rate = StartRate{2, 1min}}}},
                                      1ms));
  for (const char* const tenant : {"acme", "bolt", ""}) (void)sim.world.enqueue_many({.tenant = tenant}, 5);
  sim.world.start();
  sim.world.run_for(30s);
  EXPECT_EQ(sim.world.starts.size(), 6U);
  sim.world.run_for(31s);
  EXPECT_EQ(sim.world.starts.size(), 12U);
}

// Failures, releases, an operator's run, deaths of workers, rows of outboxes and ticks of schedules all end where claims begin.
TEST_P(Limits, LIM_05_LimitsHoldOnEveryPath) {
  auto options =
      with_limits({{.name = "all", .target = {.per = {.kind = true}}, .bounds = {.running = 1}},
                   {.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = StartRate{50, 1s}}}});
  std::vector<queue::DeclaredSchedule> schedules(1);
  schedules[0].entry.name = "ticks";
  schedules[0].entry.kind = "job";
  schedules[0].entry.rule.every = 1s;
  schedules[0].entry.overlap = queue::Overlap::allow;
  options.settings.schedules = schedules;
  Random random(11);
  std::map<std::string, int> paths;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance{.run_time = std::chrono::microseconds{1 + random.below(30'000)}};
    const auto dice = random.below(12);
    if (dice == 0) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::handler_failed, "simulated"};
      performance.decision = queue::RunDecision{.what = queue::Decided::retry, .wait = 5ms, .rule = {}};
      ++paths["retry"];
    } else if (dice == 1) {
      performance.result = RunResult::failed;
      performance.failure = {ErrorCode::tenant_busy, "simulated"};
      ++paths["release"];
    } else if (dice == 2) {
      performance.kills_process = true;
      ++paths["reclaim"];
    } else if (dice == 3) {
      performance.enqueues = 2;
      ++paths["outbox"];
    }
    return performance;
  };
  Limited sim(GetParam(), options);
  simulation::JobSpec spec{.tenant = "acme"};
  spec.attempts_max = 100;
  spec.concurrency = ConcurrencyKey{"one", 1};
  (void)sim.world.enqueue_many(spec, 40);
  spec.concurrency.reset();
  (void)sim.world.enqueue_many(spec, 40);
  spec.due_in = 1h;
  const auto later = sim.world.enqueue_many(spec, 20);
  sim.world.start();
  for (const auto& id : later) {
    sim.world.run_for(200ms);
    sim.store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      value_or_raise(writer.run_by_operator(id, sim.world.wall()));
    });
    sim.world.hint();
    sim.world.sweep_outboxes();
  }
  sim.world.run_for(30s);
  for (const char* const path : {"retry", "release", "reclaim", "outbox"}) EXPECT_GT(paths[path], 0) << path;
  std::int64_t ticks = 0;
  sim.store().read([&](queue::JobReader& reader) {
    const auto all = reader.schedules().schedules();
    ticks = std::ssize(reader.schedules().ticks(all.front().record.number, 100));
  });
  EXPECT_GT(ticks, 10);
  for (const auto& id : later) EXPECT_TRUE(sim.world.job(id).started) << "run now";
  EXPECT_EQ(sim.world.performing_max, 1);
  EXPECT_LE(sim.most_starts(1s), 50);
  EXPECT_EQ(sim.world.verdict().over_limit, 0) << sim.world.verdict_line();
  EXPECT_EQ(sim.world.verdict().overrun, 0) << sim.world.verdict_line();
}

TEST_P(Limits, ASuspectWaitsForALimitAndHoldsUpNobody) {
  auto options = with_limits({{.name = "slow", .target = {.kind = "slow"}, .bounds = {.running = 1}}}, 60s);
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "slow" ? 60s : 1ms};
  };
  Limited sim(GetParam(), options);
  sim.world.start();
  sim.world.run_for(50ms);
  sim.set("slow", {.running = 2});
  const auto suspects = sim.world.enqueue_many({.tenant = "acme", .kind = "slow"}, 2);
  sim.world.run_for(100ms);
  ASSERT_EQ(sim.world.running(), 2);
  sim.unset("slow");
  sim.world.run_for(10ms);
  sim.world.crash_dispatcher();
  sim.world.start();
  sim.world.run_for(10s);
  const auto beside = sim.world.enqueue({.tenant = "acme", .kind = "fast"});
  sim.world.run_for(1s);
  EXPECT_EQ(sim.world.job(beside).state, ShownState::succeeded);
  EXPECT_EQ(sim.world.running(), 1);
  ASSERT_TRUE(sim.drains(5min));
  EXPECT_EQ(sim.world.verdict().over_limit, 0) << sim.world.verdict_line();
  for (const auto& id : suspects) EXPECT_EQ(sim.world.job(id).state, ShownState::succeeded);
}

TEST_P(Limits, WhyNamesTheCapAndWhoHoldsIt) {
  Limited sim(
      GetParam(),
      with_limits(
          {{.name = "reports", .target = {.kind = "sl*", .per = {.tenant = true}}, .bounds = {.running = 2}}},
          10s));
  const auto jobs = sim.world.enqueue_many({.tenant = "acme", .kind = "slow"}, 3);
  sim.world.start();
  sim.world.run_for(1s);
  const auto waits = sim.world.job(jobs[2]);
  EXPECT_EQ(waits.state, ShownState::held);
  EXPECT_EQ(waits.reason, JobReason::limit_cap);
  std::vector<queue::LimitStanding> limits;
  sim.store().read([&](queue::JobReader& reader) { limits = reader.limits_of(waits); });
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].limit.name, "reports");
  EXPECT_EQ(limits[0].tenant, "acme");
  ASSERT_EQ(limits[0].holders.size(), 2U);
  EXPECT_EQ(limits[0].holders[0].id, jobs[0]);
  // The dispatcher has the lane at the same gate.
  const auto lanes = sim.world.dispatcher().known_lanes();
  ASSERT_EQ(lanes.size(), 1U);
  EXPECT_EQ(lanes[0].gates, std::vector{JobReason::limit_cap});
  EXPECT_FALSE(lanes[0].is_open);
}

INSTANTIATE_TEST_SUITE_P(Stores, Limits, ::testing::Values(OnStore::memory, OnStore::sqlite),
                         [](const auto& each) { return name_of(each); });

}  // namespace
}  // namespace tenure::daemon
