#include "limited.hpp"
#include "start_limits.hpp"

#include <ranges>

// What rates count over restarts and changes, whoever looks; and whom limits must not keep.
namespace tenure::daemon {
namespace {

struct LimitStarts : ::testing::TestWithParam<OnStore> {
  // As whoever looks says it, and as the dispatcher has it.
  static void expect_held_by_rate(Limited& sim, queue::JobId id) {
    const auto reasons = sim.why(id);
    EXPECT_NE(std::ranges::find(reasons, JobReason::limit_rate, &queue::WaitReason::reason), reasons.end());
    const auto lanes = sim.world.dispatcher().known_lanes();
    ASSERT_EQ(lanes.size(), 1U);
    EXPECT_EQ(lanes[0].gates, std::vector{JobReason::limit_rate});
  }
};

TEST_P(LimitStarts, ABucketThatIsClosedCountsItsStartsAlsoAfterARestart) {
  constexpr StartRate kRate{80, 1min};  // in buckets of 10, each open for 3.75 s
  Limited sim(GetParam(),
              with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = kRate}}}, 1ms));
  sim.world.start();
  for (int start = 0; start < 12; ++start) {
    (void)sim.world.enqueue({.tenant = "acme"});
    sim.world.run_for(4s);
  }
  ASSERT_EQ(sim.world.starts.size(), 12U);
  sim.world.crash_dispatcher();
  std::int64_t in_last_bucket = 0;
  sim.store().write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    in_last_bucket = writer.start_buckets(sim.world.wall()).back().starts;
  });
  sim.world.start();
  (void)sim.world.enqueue_many({.tenant = "acme"}, 200);
  sim.world.run_for(1s);
  // Nobody knows how many have started in the last bucket, only how many it takes.
  EXPECT_EQ(std::ssize(sim.world.starts), 12 + 80 - 11 - in_last_bucket);
  sim.world.run_for(3min);
  EXPECT_LE(sim.most_starts(1min), 80);
  EXPECT_EQ(sim.world.verdict().over_limit, 0) << sim.world.verdict_line();
}

TEST_P(LimitStarts, ABucketWhoseStartsCameToNothingIsForgotten) {
  constexpr StartRate kRate{80, 1min};
  Limited sim(GetParam(),
              with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = kRate}}}, 1ms));
  sim.world.start();
  for (int start = 0; start < 10; ++start) {
    (void)sim.world.enqueue({.tenant = "acme"});
    sim.world.fail_next_rounds(static_cast<int>(start % 3));
    sim.world.run_for(4s);
  }
  std::int64_t starts = 0;
  sim.store().write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    auto buckets = writer.start_buckets(sim.world.wall());
    for (const queue::StartBucket& bucket : std::span(buckets).first(buckets.size() - 1))
      starts += bucket.starts;
  });
  EXPECT_EQ(starts, 9);
}

// What a store has of one group's buckets, by number.
class NotedStarts : public ::testing::Test {
 protected:
  NotedStarts() {
    limits.set({{.number = group.limit, .name = "paced", .bounds = {.rate = StartRate{80, 1min}}}});
  }
  void round(std::int64_t planned, std::int64_t started, bool is_stored = true) {
    limits.planned(group, planned);
    const auto notes = limits.take_notes(now).value();
    if (!is_stored) limits.not_noted(notes);
    for (const queue::BucketNote& note : notes) {
      if (!is_stored || !note.is_news) continue;
      if (note.bucket.starts == 0) stored.erase(note.bucket.number);
      else stored[note.bucket.number] = note.bucket.starts;
    }
    for (std::int64_t start = 0; start < started; ++start) limits.started(group, now);
    limits.forget_plans();
  }

  StartLimits limits;
  const queue::LimitGroup group{queue::LimitNumber{1}, {}, {}, {}};
  Instant now{1s};
  std::map<std::int64_t, std::int64_t> stored;
};

TEST_F(NotedStarts, AnEmptyBucketWhoseEndWasNotStoredIsEndedAgain) {
  round(1, 1);
  now = now + 4s;
  round(1, 0);
  ASSERT_EQ(stored, (std::map<std::int64_t, std::int64_t>{{1, 1}, {2, 10}}));
  now = now + 4s;
  round(1, 0, false);
  round(1, 0, false);
  round(1, 1);
  EXPECT_EQ(stored.size(), 2U);
  EXPECT_FALSE(stored.contains(2)) << "nothing has started in it";
  now = now + 2min;
  limits.expire(now);
  EXPECT_FALSE(limits.next_opening());
}

TEST_F(NotedStarts, AnEmptyBucketThatIsStoredIsKeptWhenNewsOfItAreNot) {
  round(70, 70);
  now = now + 4s;
  round(1, 0);
  ASSERT_EQ(stored, (std::map<std::int64_t, std::int64_t>{{1, 70}, {2, 10}}));
  now = now + 1s;
  round(10, 0, false);  // it would have been the last
  now = now + 4s;
  round(1, 1);
  EXPECT_EQ(stored.size(), 2U);
  EXPECT_FALSE(stored.contains(2)) << "nothing has started in it";
}

TEST_P(LimitStarts, WhoeverLooksSaysTheSameBehindALoweredRateAndARestart) {
  Limited sim(
      GetParam(),
      with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = StartRate{80, 10min}}}},
                  1ms));
  sim.world.start();
  (void)sim.world.enqueue_many({.tenant = "acme"}, 25);
  sim.world.run_for(1s);
  sim.set("paced", {.rate = StartRate{20, 10min}});
  sim.world.run_for(1s);
  const auto waits = sim.world.enqueue({.tenant = "acme"});
  sim.world.run_for(2s);
  expect_held_by_rate(sim, waits);
  sim.set("paced", {.rate = StartRate{32, 10min}});
  sim.world.run_for(2s);
  EXPECT_EQ(sim.world.job(waits).state, ShownState::succeeded);
  sim.world.crash_dispatcher();
  sim.world.start();
  const auto behind = sim.world.enqueue({.tenant = "acme"});
  sim.world.run_for(2s);
  expect_held_by_rate(sim, behind);
}

TEST_P(LimitStarts, ARateThatIsSetAgainCountsFromThenOnForWhoeverLooksToo) {
  auto options = with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.running = 1}}}, 20s);
  Limited sim(GetParam(), options);
  sim.world.start();
  sim.world.run_for(100ms);
  sim.set("paced", {.rate = StartRate{1, 10min}});
  (void)sim.world.enqueue({.tenant = "acme"});
  sim.world.run_for(1min);
  sim.unset("paced");
  sim.world.run_for(2s);
  sim.set("paced", {.rate = StartRate{1, 10min}});
  sim.world.run_for(2s);
  (void)sim.world.enqueue({.tenant = "acme"});
  sim.world.run_for(2s);
  ASSERT_EQ(sim.world.starts.size(), 2U);
  std::vector<queue::LimitStanding> standings;
  sim.store().read([&](queue::JobReader& reader) {
    reader.set_now(sim.world.wall());
    standings = reader.limit_standings(reader.limits().front().number, 10);
  });
  ASSERT_EQ(standings.size(), 1U);
  EXPECT_EQ(standings[0].use.starts, 1);
}

TEST_P(LimitStarts, AJobOfARateDoesNotWaitBehindAStreamOfItsTenantsShortOnes) {
  constexpr StartRate kRate{1000, 1min};
  auto options =
      with_limits({{.name = "paced", .target = {.kind = "job"}, .bounds = {.rate = kRate}}}, 100us);
  options.settings.pools[0].processes = 1;
  options.slots = 2;
  Limited sim(GetParam(), options);
  (void)sim.world.enqueue_many({.tenant = "acme", .kind = "fast"}, 4000);
  sim.world.start();
  sim.world.run_for(20ms);
  ASSERT_GT(sim.world.starts.size(), 20U);
  const auto paced = sim.world.enqueue_many({.tenant = "acme", .kind = "job"}, 20);
  sim.world.run_for(30ms);
  ASSERT_FALSE(sim.world.is_idle()) << "the stream goes on";
  EXPECT_EQ(std::ranges::count(sim.world.starts, "job", &simulation::Start::kind), 20);
}

TEST_P(LimitStarts, SuspectsOfAFullLimitLeavePlacesToOthers) {
  auto options = with_limits({}, 60s);
  options.settings.pools = {PoolSettings{"default", 1, {"default"}}};
  options.slots = 80;
  std::map<queue::JobSeq, int> runs;
  options.perform = [&](const queue::ClaimedJob& job) {
    return Performance{.run_time = ++runs[job.seq] > 1 && job.kind == "fast" ? 1ms : 60s};
  };
  Limited sim(GetParam(), options);
  (void)sim.world.enqueue_many({.tenant = "acme", .kind = "slow"}, 70);
  const auto other = sim.world.enqueue({.tenant = "acme", .kind = "fast"});
  sim.world.start();
  sim.world.run_for(2s);
  ASSERT_EQ(sim.world.running(), 71);
  sim.store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.set_limit(
        {.name = "slow", .target = queue::LimitTarget{.kind = "slow"}, .bounds = {.running = 1}},
        sim.world.wall())));
  });
  sim.world.hint();
  sim.world.run_for(1s);
  sim.world.kill_worker(sim.world.live_workers().front());
  sim.world.run_for(5s);
  EXPECT_EQ(sim.world.job(other).state, ShownState::succeeded);
  EXPECT_EQ(sim.world.live_workers().size(), 2U) << "that of the pool, and that of the one that may run";
}

INSTANTIATE_TEST_SUITE_P(Stores, LimitStarts, ::testing::Values(OnStore::memory, OnStore::sqlite),
                         [](const auto& each) { return name_of(each); });

}  // namespace
}  // namespace tenure::daemon
