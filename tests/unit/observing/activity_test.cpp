#include "simulated.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <observing/activity.hpp>
#include <observing/two_spans.hpp>
#include <string>

namespace tenure::daemon {
namespace {

using simulation::Performance;

TEST(TwoSpansOfCounts, TheSpanThatIsOverCountsUntilTheNextOne) {
  TwoSpans<std::int64_t> spans(10s, Instant{100s});
  spans.current() += 5;
  spans.pass(Instant{109s});
  EXPECT_EQ(spans.current(), 5);
  EXPECT_EQ(spans.covered(Instant{109s}), 9s);
  spans.pass(Instant{110s});
  EXPECT_EQ(spans.former(), 5);
  EXPECT_EQ(spans.current(), 0);
  spans.current() += 2;
  EXPECT_EQ(spans.covered(Instant{113s}), 13s);
  spans.pass(Instant{120s});
  EXPECT_EQ(spans.former(), 2);
  spans.pass(Instant{145s});
  EXPECT_EQ(spans.former(), 0) << "a whole span has passed without anything";
  EXPECT_EQ(spans.covered(Instant{145s}), 15s);
}

TEST(TwoSpansOfCounts, TheFirstMomentIsNoRate) {
  const TwoSpans<std::int64_t> spans(10s, Instant{100s});
  EXPECT_EQ(spans.covered(Instant{100s}), 1s);
}

TEST(DurationHistogramQuantile, IsBetweenTheBoundsOfItsBucket) {
  DurationHistogram durations;
  EXPECT_EQ(durations.quantile(0.5), std::nullopt);
  for (int i = 0; i < 98; ++i) durations.add(6ms);
  durations.add(200ms);
  durations.add(100h);
  EXPECT_EQ(durations.count(), 100U);
  EXPECT_GT(*durations.quantile(0.5), 5ms);
  EXPECT_LT(*durations.quantile(0.5), 10ms);
  EXPECT_EQ(*durations.quantile(0.99), 250ms);
  EXPECT_EQ(*durations.quantile(1), 5h) << "beyond the last bound nothing more is known";
  DurationHistogram more;
  more.add(3ms);
  more += durations;
  EXPECT_EQ(more.count(), 101U);
  EXPECT_EQ(*more.quantile(0.001), 2753us);
}

class ActivityTest : public ::testing::Test {
 protected:
  void simulate(simulation::Options options) {
    sim_.emplace(std::move(options));
    activity_.emplace(world().now());
    world().on_step = [this](const Event& event, const Actions& actions) {
      activity_->happened(event, now());
      activity_->decided(actions, now());
    };
    world().start();
    world().run_for(1s);
  }
  simulation::Simulation& world() { return sim_->world; }
  [[nodiscard]] Now now() { return {world().wall(), world().now()}; }
  [[nodiscard]] Activity::View view() { return activity_->view(world().now()); }

  std::optional<Simulated> sim_;
  std::optional<Activity> activity_;
};

TEST_F(ActivityTest, TellsWhatCameAndWentLatelyAndForgetsIt) {
  auto options = one_pool(1, 4);
  options.perform = [](const queue::ClaimedJob& job) {
    Performance performance{.run_time = 100ms};
    if (job.tenant && job.tenant->text() == "broken") performance.result = RunResult::failed;
    return performance;
  };
  simulate(std::move(options));
  for (const char* const name : {"acme", "broken"}) world().create_tenant(name);
  static_cast<void>(world().enqueue_many({.tenant = "acme"}, 30));
  static_cast<void>(world().enqueue_many({.tenant = "broken", .attempts_max = 1}, 2));
  world().run_for(3s);
  Activity::View seen = view();
  EXPECT_EQ(seen.up, 4s);
  EXPECT_EQ(seen.arrived, 32);
  EXPECT_EQ(seen.ended, 32);
  EXPECT_EQ(seen.failed, 2);
  EXPECT_EQ(seen.starts, 32U);
  ASSERT_TRUE(seen.delay_p50 && seen.delay_p99);
  EXPECT_LE(*seen.delay_p50, *seen.delay_p99);
  EXPECT_LT(*seen.delay_p99, 2s);
  EXPECT_TRUE(seen.tenants.empty()) << "the first 10 s are not over";
  world().run_for(12s);
  seen = view();
  EXPECT_EQ(seen.arrived, 0);
  EXPECT_EQ(seen.ended, 0);
  ASSERT_FALSE(seen.tenants.empty());
  world().run_for(20min);
  seen = view();
  EXPECT_FALSE(seen.delay_p50) << "nothing has started in the last minute";
  ASSERT_EQ(seen.kinds.size(), 1U) << "of kinds the last half hour is told, and more";
  EXPECT_GT(*seen.kinds.front().p99, 50ms);
  EXPECT_LT(*seen.kinds.front().p99, 250ms);
  world().run_for(2h);
  EXPECT_TRUE(view().kinds.empty());
}

TEST_F(ActivityTest, SharesAreOfTheSlotTimeThatWasUsedByThoseWhoRunStillToo) {
  auto options = one_pool(1, 4);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 1h}; };
  simulate(std::move(options));
  for (const char* const name : {"large", "small"}) world().create_tenant(name);
  static_cast<void>(world().enqueue_many({.tenant = "large", .kind = "job"}, 3));
  static_cast<void>(world().enqueue_many({.tenant = "small", .kind = "job"}, 1));
  world().run_for(31s);
  const Activity::View seen = view();
  ASSERT_EQ(seen.tenants.size(), 2U);
  EXPECT_EQ(seen.tenants[0].name.text(), "large");
  EXPECT_NEAR(seen.tenants[0].ratio, 0.75, 0.01);
  EXPECT_NEAR(seen.tenants[1].ratio, 0.25, 0.01);
  ASSERT_EQ(seen.kinds.size(), 1U);
  EXPECT_EQ(seen.kinds.front().running, 4);
  EXPECT_EQ(seen.kinds.front().p99, std::nullopt) << "none has ended";
}

TEST_F(ActivityTest, MoreThanItTellsOfAreLeftOut) {
  auto options = one_pool(1, 60);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 1h}; };
  simulate(std::move(options));
  for (int i = 0; i < 60; ++i) {
    const std::string name = "tenant-" + std::to_string(i);
    world().create_tenant(name);
    static_cast<void>(world().enqueue({.tenant = name}));
  }
  world().run_for(30s);
  EXPECT_EQ(view().tenants.size(), Activity::kTenantsMax);
}

// A tenant that was deleted and made anew is one in what is told, though its number is another.
TEST(TopTenantsOfAWindow, ANameIsToldOnce) {
  TopTenants tenants(5, 10s, Instant{});
  const auto use = [&](std::int64_t number, const char* name) {
    daemon::Run run;
    run.lane.tenant = TenantNumber{number};
    run.tenant = TenantName{name};
    run.since = Instant{};
    tenants.used(run, Instant{2s});
  };
  use(1, "acme");
  use(2, "acme");
  use(3, "corvid");
  tenants.choose(Instant{10s});
  ASSERT_EQ(tenants.chosen().size(), 2U);
  EXPECT_EQ(tenants.chosen().front().name.text(), "acme");
  EXPECT_NEAR(tenants.chosen().front().ratio, 2.0 / 3, 0.001);
}

}  // namespace
}  // namespace tenure::daemon
