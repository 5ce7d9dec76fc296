#include "simulated.hpp"
#include "stepper.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What becomes of jobs that run for too long, in the whole dispatcher.
namespace tenure::daemon {
namespace {

using simulation::Performance;

// Jobs of kind "slow" take an hour, all others 10 ms.
simulation::Options limited(int slots, std::chrono::microseconds limit, bool obeys = false) {
  auto options = one_pool(1, slots);
  options.kinds = {"job", "slow"};
  options.time_limit = limit;
  options.perform = [=](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "slow" ? 1h : 10ms, .obeys_stop_token = obeys};
  };
  return options;
}

struct Limited : Simulated {
  explicit Limited(simulation::Options options) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  [[nodiscard]] Instant begun(std::size_t start) const { return world.starts.at(start).at; }
};

TEST(TimeLimits, RUN_07_TheTokenComesAtEightyPercentAndTheEndAtTheLimitAndTheSlotIsUsableSoonAfter) {
  Limited sim(limited(1, 1s));
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow", .attempts_max = 2});
  sim->run_for(50ms);
  ASSERT_EQ(sim->running(), 1);
  const auto other = sim->enqueue({.tenant = "acme"});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(other).state == ShownState::succeeded; }, 3s));
  // Counted from the assignment, a frame's way before the handler begins.
  const auto near = [&](std::optional<Instant> moment, std::chrono::microseconds after) {
    const auto passed = moment ? *moment - sim.begun(0) : std::chrono::microseconds{0};
    return passed > after - 1ms && passed < after + 1ms;
  };
  EXPECT_TRUE(near(first<GiveStopToken>(sim.world), 800ms));
  EXPECT_TRUE(near(first<EndProcess>(sim.world), 1s));
  EXPECT_LT(sim.begun(1) - sim.begun(0), 1s + 100ms) << "the next job starts in another process";
  const auto record = sim->job(slow);
  EXPECT_EQ(record.state, ShownState::scheduled);
  EXPECT_EQ(record.failures, 1);
  EXPECT_EQ(record.crashes, 0);
  EXPECT_EQ(record.error,
            "The run was ended at its time limit of 1000 ms; it had not obeyed its stop token.");
  ASSERT_TRUE(sim->run_until([&] { return sim->job(slow).state == ShownState::dead; }, 10min));
  EXPECT_EQ(sim->job(slow).reason, queue::JobReason::attempts_exhausted);
}

TEST(TimeLimits, RUN_08_TheOthersOfItsProcessAreReleasedUnchargedAndThoseAheadAreUntouched) {
  auto options = limited(2, 1s);
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "slow" ? 1h : 700ms};
  };
  Limited sim(options);
  (void)sim->enqueue({.tenant = "acme", .kind = "slow", .attempts_max = 1});
  const auto others = sim->enqueue_many({.tenant = "acme"}, 4);
  ASSERT_TRUE(sim.drains(1min));
  std::int64_t released = 0;
  for (const auto& id : others) {
    const auto record = sim->job(id);
    EXPECT_EQ(record.state, ShownState::succeeded);
    EXPECT_EQ(record.failures + record.crashes, 0);
    released += record.releases;
  }
  EXPECT_EQ(released, 1) << "the one that was being performed";
  EXPECT_EQ(sim->count(ShownState::dead), 1);
}

TEST(TimeLimits, RUN_07_AHandlerThatObeysItsTokenFailsAndItsProcessGoesOn) {
  Limited sim(limited(1, 1s, true));
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow", .attempts_max = 1});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(slow).state == ShownState::dead; }, 2s));
  EXPECT_EQ(sim->job(slow).failures, 1);
  EXPECT_FALSE(first<EndProcess>(sim.world));
  EXPECT_EQ(sim->live_workers(), std::vector{ProcessNumber{1}});
}

// The second run of a job that has obeyed has its token, too, though it comes soon and in the same process.
TEST(TimeLimits, RUN_07_EachRunHasItsOwnToken) {
  Limited sim(limited(1, 5min, true));
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow", .attempts_max = 3});
  ASSERT_TRUE(sim->run_until([&] { return sim->job(slow).state == ShownState::dead; }, 1h));
  EXPECT_EQ(sim->starts.size(), 3U);
  EXPECT_FALSE(first<EndProcess>(sim.world)) << "it has obeyed each time";
}

// A daemon that stood still hears of an end later than of the time.
TEST(TimeLimits, ALateLookGivesTheTokenFirstAndTheRestOfTheTimeWithIt) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer<LaneScanPart>({queue::JobSeq{100}, {kLane}});
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}, {}, {.usual = 1s, .of_kinds = {}}});
  stepper.answer();
  if (stepper.has_round() && stepper.claims().empty()) stepper.answer();
  stepper.answer_claims({Stepper::jobs_of(stepper.claims().front(), 1)});
  stepper.pass(1h);
  const Actions late = stepper.step(TimePassed{});
  EXPECT_TRUE(find<GiveStopToken>(late));
  EXPECT_FALSE(find<EndProcess>(late));
  stepper.pass(199ms);
  EXPECT_FALSE(find<EndProcess>(stepper.step(TimePassed{})));
  stepper.pass(1ms);
  EXPECT_TRUE(find<EndProcess>(stepper.step(TimePassed{})));
}

TEST(TimeLimits, WhereNoProcessCanBeEndedTheTokenIsAll) {
  auto options = limited(1, 1s);
  options.settings.can_end_processes = false;
  Limited sim(options);
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow"});
  ASSERT_TRUE(sim.drains(2h));
  EXPECT_EQ(sim->job(slow).state, ShownState::succeeded);
  EXPECT_TRUE(first<GiveStopToken>(sim.world));
  EXPECT_FALSE(first<EndProcess>(sim.world));
}

TEST(TimeLimits, OfAKindThatStatesOneThatOneCounts) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer<LaneScanPart>({queue::JobSeq{100}, {kLane}});
  stepper.step(WorkerReady{ProcessNumber{1}, 1, {"job"}, {}, {.usual = 1h, .of_kinds = {{"job", 100ms}}}});
  stepper.answer();
  if (stepper.has_round() && stepper.claims().empty()) stepper.answer();
  stepper.answer_claims({Stepper::jobs_of(stepper.claims().front(), 1)});
  stepper.pass(80ms);
  const Actions at_token = stepper.step(TimePassed{});
  ASSERT_TRUE(find<GiveStopToken>(at_token));
  EXPECT_EQ(find<GiveStopToken>(at_token)->seq, queue::JobSeq{1});
  EXPECT_EQ(find<GiveStopToken>(at_token)->reason, queue::StopReason::time_limit);
  EXPECT_FALSE(find<GiveStopToken>(stepper.step(TimePassed{}))) << "once";
  stepper.pass(20ms);
  EXPECT_TRUE(find<EndProcess>(stepper.step(TimePassed{})));
}

TEST(TimeLimits, AJobThatWaitedAheadHasItsWholeTime) {
  auto options = limited(1, 100ms);
  // Usually quick, so that jobs are assigned ahead; then each takes most of its time.
  auto quick = std::make_shared<int>(20);
  options.perform = [=](const queue::ClaimedJob&) {
    return Performance{.run_time = (*quick)-- > 0 ? std::chrono::microseconds{100us} : 70ms};
  };
  Limited sim(options);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 30);
  ASSERT_TRUE(sim.drains(10s));
  for (const auto& id : jobs) EXPECT_EQ(sim->job(id).failures, 0);
  EXPECT_FALSE(first<EndProcess>(sim.world));
}

TEST(TimeLimits, WithoutOneAJobRunsForAsLongAsItTakes) {
  Limited sim(limited(1, 0us));
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow"});
  ASSERT_TRUE(sim.drains(2h));
  EXPECT_EQ(sim->job(slow).state, ShownState::succeeded);
  EXPECT_FALSE(first<GiveStopToken>(sim.world));
}

TEST(TimeLimits, AStopEndsTheProcessBeforeTheLimitUncharged) {
  auto options = limited(1, 10s);
  options.settings.stop_deadline = 1s;
  Limited sim(options);
  const auto slow = sim->enqueue({.tenant = "acme", .kind = "slow"});
  sim->run_for(50ms);
  sim->stop();
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 3s));
  EXPECT_EQ(sim->job(slow).state, ShownState::ready);
  EXPECT_EQ(sim->job(slow).failures, 0);
}

}  // namespace
}  // namespace tenure::daemon
