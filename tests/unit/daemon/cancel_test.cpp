#include "simulated.hpp"
#include "stepper.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What becomes of jobs that an operator cancels while worker processes have them, in the whole dispatcher.
namespace tenure::daemon {
namespace {

using simulation::Performance;

// Jobs of kind "slow" take a minute, those of kind "obedient" too but for their stop token, all others a millisecond.
simulation::Options with_slow_jobs(int processes = 1, int slots = 1) {
  auto options = one_pool(processes, slots);
  options.kinds = {"job", "slow", "obedient"};
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "job" ? 1ms : 60s, .obeys_stop_token = job.kind == "obedient"};
  };
  return options;
}

struct Cancelling : Simulated {
  explicit Cancelling(simulation::Options options) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  // A job that performs.
  simulation::JobId running(const std::string& kind) {
    const auto id = world.enqueue({.tenant = "acme", .kind = kind});
    world.run_for(5ms);
    EXPECT_EQ(world.job(id).state, ShownState::running);
    return id;
  }
  std::vector<queue::AttemptRecord> attempts(simulation::JobId id) {
    std::vector<queue::AttemptRecord> rows;
    store->read([&](queue::JobReader& reader) { rows = reader.attempts(reader.find_job(id)->seq); });
    return rows;
  }
  void expect_cancelled(simulation::JobId id, const std::string& error) {
    EXPECT_EQ(world.job(id).state, ShownState::cancelled);
    EXPECT_EQ(world.job(id).reason, queue::JobReason::by_operator);
    const auto rows = attempts(id);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].outcome, queue::AttemptOutcome::interrupted);
    EXPECT_EQ(rows[0].error, error);
    EXPECT_TRUE(world.verdict().is_clean()) << world.verdict_line();
  }
};

TEST(Cancel, RUN_06_AJobThatPerformsGetsItsTokenAtOnceAndEndsCancelledWhereItObeys) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("obedient");
  const Instant asked = sim->now();
  sim->cancel(id);
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_LT(sim->now() - asked, 2ms);
  const auto tokens = control_of<GiveStopToken>(sim.world);
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(tokens[0].second.reason, queue::StopReason::operator_asked);
  EXPECT_EQ(tokens[0].second.seq, sim->job(id).seq);
  sim.expect_cancelled(id, "stopped");
  EXPECT_EQ(sim->job(id).failures + sim->job(id).releases, 0);
  sim->run_for(1ms);  // until the dispatcher has its answer
  EXPECT_EQ(sim->dispatcher().status().cancelled, 1);
}

TEST(Cancel, RUN_06_OneThatTakesNoNoticeShowsItAndHasSucceededWhereItSucceeds) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("slow");
  sim->cancel(id);
  sim->run_for(10s);
  EXPECT_EQ(sim->job(id).state, ShownState::running);
  EXPECT_TRUE(sim->job(id).cancel_asked.has_value());
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(id).cancel_asked, std::nullopt);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Cancel, WithoutAHintItIsFoundAtTheNextPoll) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("obedient");
  sim->cancel(id, false);
  ASSERT_TRUE(sim.drains(1s + 10ms));
  sim.expect_cancelled(id, "stopped");
}

TEST(Cancel, RUN_05_WhatWasClaimedAndHasNotStartedIsRecalledAndNeverStarts) {
  Cancelling sim(with_slow_jobs());
  // So that jobs are assigned ahead.
  (void)sim->enqueue_many({.tenant = "acme"}, 40);
  ASSERT_TRUE(sim.drains(5s));
  auto ids = sim->enqueue_many({.tenant = "acme"}, 2);
  sim->run_for(500us);
  ASSERT_EQ(sim->running(), 1);
  ASSERT_EQ(sim->dispatcher().status().ahead, 1);
  sim->cancel(ids[1]);
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_EQ(sim->job(ids[0]).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(ids[1]).state, ShownState::cancelled);
  EXPECT_EQ(sim->job(ids[1]).started, std::nullopt);
  EXPECT_TRUE(sim.attempts(ids[1]).empty());
  EXPECT_EQ(sim->starts.size(), 41U);
  EXPECT_EQ(control_of<Recall>(sim.world).size(), 1U);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Cancel, OneThatIsEndedAtItsTimeLimitIsNotRetried) {
  auto options = with_slow_jobs();
  options.time_limit = 1s;
  Cancelling sim(options);
  const auto id = sim.running("slow");
  sim->cancel(id);
  ASSERT_TRUE(sim.drains(2s));
  sim.expect_cancelled(id,
                       "The run was ended at its time limit of 1000 ms; it had not obeyed its stop token.");
}

TEST(Cancel, OneWhoseProcessCrashesDoesNotRunAgain) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("slow");
  sim->cancel(id);
  sim->run_for(10ms);
  sim->kill_worker(sim->live_workers().front(), simulation::kSegmentationFault);
  ASSERT_TRUE(sim.drains(1s));
  sim.expect_cancelled(id, "The worker process ended during the run: signal 11 (Segmentation fault).");
  EXPECT_EQ(sim->job(id).crashes, 0);
}

TEST(Cancel, OneThatIsEndedWithTheDaemonsStopDoesNotRunAgain) {
  auto options = with_slow_jobs();
  options.settings.stop_deadline = 100ms;
  Cancelling sim(options);
  const auto id = sim.running("slow");
  // While the daemon stops nobody looks any more; the end asks by itself.
  sim->stop();
  sim->cancel(id);
  ASSERT_TRUE(sim->run_until([&] { return sim->has_left(); }, 1s));
  sim.expect_cancelled(id, "The worker process ended during the run: signal 9 (Killed).");
}

TEST(Cancel, RUN_06_WhileTheDaemonStopsTheTokenIsGivenAtOnceToo) {
  for (const bool is_hinted : {true, false}) {
    auto options = with_slow_jobs(1, 2);
    options.settings.stop_deadline = 20s;
    Cancelling sim(options);
    const auto id = sim.running("obedient");
    const auto other = sim.running("slow");
    sim->stop();
    sim->run_for(50ms);
    sim->cancel(id, is_hinted);
    const Instant asked = sim->now();
    ASSERT_TRUE(sim->run_until([&] { return sim->job(id).state == ShownState::cancelled; }, 1s + 10ms));
    EXPECT_LT(sim->now() - asked, is_hinted ? 2ms : 1s + 10ms);
    const auto tokens = control_of<GiveStopToken>(sim.world);
    ASSERT_EQ(tokens.size(), 1U) << "the stop's own comes later";
    EXPECT_EQ(tokens[0].second.reason, queue::StopReason::operator_asked);
    EXPECT_EQ(sim->job(other).state, ShownState::running);
    const auto rounds = sim->rounds;
    sim->run_for(10s);
    EXPECT_LE(sim->rounds - rounds, 11) << "a look now and then";
  }
}

TEST(Cancel, OneThatRanWhenTheDaemonDiedOrLeftDoesNotRunAgain) {
  for (const bool died : {true, false}) {
    Cancelling sim(with_slow_jobs());
    const auto id = sim.running("slow");
    const auto other = sim->enqueue({.tenant = "acme"});
    sim->cancel(id, false);
    sim->crash_dispatcher();
    if (!died) sim->reboot();
    sim->start();
    ASSERT_TRUE(sim.drains(5s));
    sim.expect_cancelled(id, "The daemon ended while it held this job.");
    EXPECT_EQ(sim->job(other).state, ShownState::succeeded);
    EXPECT_EQ(sim->starts.size(), 2U);
  }
}

TEST(Cancel, ATenantWhoseJobWasStoppedIsNotLeftAlone) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("obedient");
  const auto next = sim->enqueue({.tenant = "acme"});
  const Instant asked = sim->now();
  sim->cancel(id);
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_LT(sim->now() - asked, 10ms);
  EXPECT_EQ(sim->job(next).state, ShownState::succeeded);
}

TEST(Cancel, IsAskedAgainWhereTheRoundThatLooksHasFailed) {
  Cancelling sim(with_slow_jobs());
  const auto id = sim.running("obedient");
  sim->fail_next_rounds(2);
  sim->cancel(id);
  ASSERT_TRUE(sim.drains(1s));
  sim.expect_cancelled(id, "stopped");
}

// A request that names what the process does not have, or not any more, changes nothing.
TEST(Cancel, ARequestForAnotherClaimIsNobodys) {
  Stepper stepper;
  stepper.come_to_claim();
  stepper.answer_claims({Stepper::jobs_of(stepper.claims().at(0), 1)});
  ASSERT_EQ(stepper.last_assigned().size(), 1U);
  queue::ClaimRef other = stepper.last_assigned()[0];
  ++other.token.counter;
  stepper.step(WakeHinted{});
  while (!stepper.round().ask<CancelRequestsPart>()) stepper.answer();
  RoundReply reply;
  reply.answer<CancelRequestsPart>() = CancelRequestsPart::Answer{
      {queue::CancelNumber{1}, other, {}}, {queue::CancelNumber{4}, stepper.last_assigned()[0], {}}};
  const Actions actions = stepper.answer(std::move(reply));
  std::size_t tokens = 0;
  for (const Action& action : actions) tokens += std::holds_alternative<GiveStopToken>(action) ? 1U : 0U;
  EXPECT_EQ(tokens, 1U);
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(stepper.round().ask<CancelRequestsPart>()->after, queue::CancelNumber{4});
}

}  // namespace
}  // namespace tenure::daemon
