#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace tenure::daemon {
namespace {

using simulation::Performance;

simulation::Options running_for(std::chrono::microseconds time, bool obeys = false) {
  auto options = one_pool(2, 2);
  options.perform = [=](const queue::ClaimedJob&) {
    return Performance{.run_time = time, .obeys_stop_token = obeys};
  };
  return options;
}

TEST(Stop, STP_01_AnIdleDaemonLeavesWithinASecond) {
  Simulated sim(running_for(1ms));
  sim->start();
  sim->run_for(1s);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
  EXPECT_FALSE(first<EndProcess>(sim.world));
}

TEST(Stop, STP_01_NothingStartsAfterItRunningJobsFinishAndNothingStaysClaimed) {
  Simulated sim(running_for(100ms));
  (void)sim->enqueue_many({}, 50);
  sim->start();
  sim->run_for(250ms);
  ASSERT_EQ(sim->running(), 4);
  sim->stop();
  const std::size_t started = sim->starts.size();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
  EXPECT_EQ(sim->starts.size(), started);
  EXPECT_EQ(sim->count(ShownState::succeeded), static_cast<std::int64_t>(started));
  EXPECT_EQ(sim->count(ShownState::ready), 50 - static_cast<std::int64_t>(started));
  EXPECT_EQ(sim->verdict().claims_left, 0);
}

TEST(Stop, CLM_13_JobsAheadGoBackUnchargedAtAStop) {
  Simulated sim(running_for(300us));
  const auto ids = sim->enqueue_many({}, 5000);
  sim->start();
  ASSERT_TRUE(
      sim->run_until([&] { return sim->starts.size() > 300 && sim->dispatcher().status().ahead > 10; }, 5s));
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
  EXPECT_EQ(sim->verdict().claims_left, 0);
  for (const auto id : ids) {
    const auto job = sim->job(id);
    EXPECT_EQ(job.releases + job.failures + job.crashes, 0);
  }
}

TEST(Stop, STP_02_TheTokenAtEightyPercentTheEndAtTheDeadlineThenReleasedUncharged) {
  Simulated sim(running_for(1h));
  const auto ids = sim->enqueue_many({}, 3);
  sim->start();
  sim->run_for(1s);
  ASSERT_EQ(sim->running(), 3);
  const Instant asked = sim->now();
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_EQ(*first<GiveStopToken>(sim.world) - asked, 20s);
  EXPECT_EQ(*first<EndProcess>(sim.world) - asked, 25s);
  EXPECT_LE(sim->now() - asked, 26s);
  for (const auto id : ids) {
    const auto job = sim->job(id);
    EXPECT_EQ(job.state, ShownState::ready);
    EXPECT_EQ(job.failures + job.crashes, 0);
    EXPECT_EQ(job.releases, 1);
    EXPECT_FALSE(job.claim);
  }
}

TEST(Stop, STP_02_AJobThatObeysItsTokenEndsBeforeTheDeadline) {
  Simulated sim(running_for(1h, true));
  const auto id = sim->enqueue({});
  sim->start();
  sim->run_for(1s);
  const Instant asked = sim->now();
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_LE(sim->now() - asked, 20s + 10ms);
  EXPECT_EQ(sim->job(id).state, ShownState::ready);
  EXPECT_EQ(sim->job(id).failures + sim->job(id).crashes, 0);
}

TEST(Stop, STP_06_ASecondStopChangesNothing) {
  Simulated sim(running_for(1h));
  (void)sim->enqueue({});
  sim->start();
  sim->run_for(1s);
  const Instant asked = sim->now();
  sim->stop();
  sim->run_for(10s);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_EQ(*first<EndProcess>(sim.world) - asked, 25s);
}

TEST(Stop, STP_06_AtOnceReleasesAllAndLeaves) {
  for (const bool was_asked_before : {false, true}) {
    Simulated sim(running_for(1h));
    const auto id = sim->enqueue({});
    sim->start();
    sim->run_for(1s);
    if (was_asked_before) sim->stop();
    sim->run_for(1s);
    const Instant asked = sim->now();
    sim->stop(StopAsked::How::at_once);
    ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
    EXPECT_LE(sim->now() - asked, 100ms);
    EXPECT_EQ(sim->job(id).state, ShownState::ready);
    EXPECT_EQ(sim->job(id).failures + sim->job(id).crashes, 0);
  }
}

TEST(Stop, ACrashWhileDrainingIsChargedAndNotRestarted) {
  Simulated sim(running_for(10s));
  const auto id = sim->enqueue({});
  sim->start();
  sim->run_for(1s);
  sim->stop();
  sim->run_for(1s);
  sim->kill_worker(sim->starts.front().process);
  const auto starts_before = std::count_if(sim->control.begin(), sim->control.end(), [](const auto& each) {
    return std::holds_alternative<StartProcess>(each.second);
  });
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_EQ(starts_before, 2);
  EXPECT_EQ(sim->job(id).crashes, 1);
}

TEST(Stop, BeforeTheFirstRoundIsAnsweredItLeavesToo) {
  Simulated sim(running_for(1ms));
  sim->start();
  sim->stop();
  EXPECT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
}

TEST(Stop, WithAStoreThatFailsItLeavesSoonAfterTheDeadlineAndTheNextStartGoesOn) {
  Simulated sim(running_for(1h));
  (void)sim->enqueue_many({}, 3);
  sim->start();
  sim->run_for(1s);
  const Instant asked = sim->now();
  sim->fail_next_rounds(1000);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 60s));
  EXPECT_LE(sim->now() - asked, 26s);
  EXPECT_EQ(sim->verdict().claims_left, 3);
  sim->fail_next_rounds(-sim->rounds_to_fail());
  sim->crash_dispatcher();
  sim->start();
  sim->run_for(100ms);
  EXPECT_EQ(sim->running(), 3);
}

TEST(Stop, STP_03_AThousandStopsAtRandomMomentsLoseAndChargeNothing) {
  Random random(11);
  auto options = one_pool(2, 3, 11);
  options.settings.stop_deadline = 50ms;
  options.perform = [&](const queue::ClaimedJob&) {
    return Performance{.run_time =
                           std::chrono::microseconds{random.below(random.below(10) == 0 ? 80'000 : 900)}};
  };
  Simulated sim(options);
  for (const char* name : {"acme", "bolt"}) sim->create_tenant(name);
  std::vector<queue::JobId> ids;
  for (int stop = 0; stop < 1000; ++stop) {
    const auto more = sim->enqueue_many({.tenant = stop % 2 == 0 ? "acme" : "bolt"}, random.below(30) + 1);
    ids.insert(ids.end(), more.begin(), more.end());
    sim->start();
    sim->run_for(std::chrono::microseconds{random.below(12'000)});
    sim->stop(random.below(10) == 0 ? StopAsked::How::at_once : StopAsked::How::in_phases);
    ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
    ASSERT_EQ(sim->running(), 0);
  }
  EXPECT_EQ(sim->verdict().claims_left, 0);
  sim->start();
  ASSERT_TRUE(sim.drains(1h));
  sim->run_for(1s);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  for (const auto id : ids) ASSERT_EQ(sim->job(id).failures + sim->job(id).crashes, 0);
}

}  // namespace
}  // namespace tenure::daemon
