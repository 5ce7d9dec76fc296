#include "stepper.hpp"

#include <gtest/gtest.h>

#include <chrono>

// When an idle dispatcher looks for jobs, what hints make of that, and when it looks at late jobs.
namespace tenure::daemon {
namespace {

using queue::ClaimedJob;
using queue::ClaimRequest;
using queue::JobSeq;
using queue::Lane;

// Idle, after one job of kLane has been claimed: the names of its queue and kind are known.
void come_to_rest(Stepper& stepper) {
  stepper.come_to_claim(2);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  const auto jobs = find<Assign>(stepper.answer(reply))->jobs;
  stepper.step(
      AttemptsEnded{ProcessNumber{1}, {{{jobs[0].seq, jobs[0].token}, RunResult::succeeded, 10us, {}}}});
  while (stepper.has_round()) stepper.answer();
}

TEST(DispatcherLooks, AnIdleDispatcherClaimsWhatAHintNamesTogetherWithItsLook) {
  Stepper stepper;
  come_to_rest(stepper);
  stepper.step(WakeHinted{kLane});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
  EXPECT_TRUE(stepper.round().ask<NewJobsPart>());
  ASSERT_EQ(stepper.claims().size(), 1U);
  EXPECT_EQ(stepper.claims()[0].kinds.at(0).kind, kLane.kind);
  RoundReply found;
  found.answer<NewJobsPart>() = {{{JobSeq{900}, kLane, WallTime{}, queue::JobState::ready}}};
  found.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  found.answer<ClaimsPart>()->at(0).jobs[0].seq = JobSeq{900};
  EXPECT_TRUE(find<Assign>(stepper.answer(found)));
  EXPECT_FALSE(stepper.has_round());  // nothing more is asked for
  EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
}

TEST(DispatcherLooks, AHintThatIsNotTrueCostsOneLookAndLeavesNothing) {
  Lane other_kind = kLane;
  other_kind.kind = queue::KindNumber{77};
  Lane other_queue = kLane;
  other_queue.queue = queue::QueueNumber{77};
  for (const Lane& lane : {kLane, other_kind, other_queue}) {
    Stepper stepper;
    come_to_rest(stepper);
    stepper.step(WakeHinted{lane});
    ASSERT_TRUE(stepper.has_round());
    EXPECT_EQ(stepper.claims().size(), lane == kLane ? 1U : 0U);
    EXPECT_FALSE(stepper.round().ask<NamesPart>());
    stepper.answer();
    EXPECT_FALSE(stepper.has_round());
    EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
  }
}

TEST(DispatcherLooks, AHintOfATenantThatIsNotThereLeavesNothing) {
  Stepper stepper;
  come_to_rest(stepper);
  Lane lane = kLane;
  lane.tenant = TenantNumber{999};
  stepper.step(WakeHinted{lane});
  ASSERT_EQ(stepper.claims().size(), 1U);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{{.gate = TenantState::deleted}}};
  stepper.answer(reply);
  EXPECT_FALSE(stepper.has_round());
  EXPECT_EQ(stepper.dispatcher().status().lanes, 0);
}

TEST(DispatcherLooks, ALookThatFailedIsLookedAgainWithoutAHint) {
  Stepper stepper;
  stepper.come_to_claim(1);
  RoundReply reply;
  reply.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
  stepper.answer(reply);
  stepper.step(WakeHinted{});
  ASSERT_TRUE(stepper.round().ask<LaneHintsPart>());
  stepper.fail();
  stepper.pass(kRoundRetryMin);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_TRUE(stepper.round().ask<LaneHintsPart>());
  EXPECT_TRUE(stepper.round().ask<NewJobsPart>());
}

TEST(DispatcherLooks, AfterAFullLookItLooksAgainAtOnceFromWhereItWas) {
  for (const std::size_t rows : {kRoundRowsMax - 1, kRoundRowsMax}) {
    Stepper stepper;
    stepper.come_to_claim(1);
    RoundReply claimed;
    claimed.answer<ClaimsPart>() = {{Stepper::jobs_of(stepper.claims()[0], 1)}};
    stepper.answer(claimed);
    stepper.step(WakeHinted{});
    NewJobsPart::Answer full;
    for (std::size_t row = 0; row < rows; ++row) {
      full.push_back(
          {JobSeq{static_cast<std::int64_t>(row) + 200}, kLane, WallTime{}, queue::JobState::ready});
    }
    stepper.answer<NewJobsPart>(full);
    EXPECT_EQ(stepper.has_round(), rows == kRoundRowsMax);
    if (stepper.has_round()) {
      EXPECT_EQ(stepper.round().ask<NewJobsPart>()->after, full.back().seq);
    }
  }
}

TEST(DispatcherLooks, TheWakeIsTheNextMomentOfInterestAndToldOnlyWhenItChanges) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer();  // no lanes
  stepper.answer<NextDuePart>(stepper.now().wall + 300ms);
  EXPECT_EQ(stepper.wake(), stepper.now().steady + 300ms);
  EXPECT_FALSE(find<WakeAt>(stepper.step(Ponged{ProcessNumber{1}})));
  stepper.pass(300ms);
  stepper.step(TimePassed{});
  EXPECT_TRUE(stepper.round().ask<DueJobsPart>());
  stepper.answer();
  EXPECT_EQ(stepper.wake(), stepper.now().steady + 700ms);  // the poll
}

TEST(DispatcherLooks, LSE_19_AWallClockThatJumpsDelaysADueJobByAPollAtMost) {
  Stepper stepper;
  stepper.step(Started{});
  stepper.answer<OpeningPart>(queue::Incarnation{7});
  stepper.answer();
  stepper.answer();
  stepper.answer<NextDuePart>(stepper.now().wall + std::chrono::hours{24 * 3650});
  EXPECT_LE(*stepper.wake() - stepper.now().steady, 1s);
}

// All 8 slots perform jobs that are thought to take 10 us, and 19 stand behind them.
void come_to_jobs_ahead(Stepper& stepper) {
  stepper.come_to_claim(8);
  const ClaimRequest asked = stepper.claims()[0];
  const auto taught = find<Assign>(stepper.answer_claims({Stepper::jobs_of(asked, asked.count)}));
  AttemptsEnded ended{ProcessNumber{1}, {}};
  for (const ClaimedJob& job : taught->jobs)
    ended.ends.push_back({{job.seq, job.token}, RunResult::succeeded, 10us, {}});
  stepper.step(ended);
  stepper.answer_claims({Stepper::jobs_of(stepper.claims()[0], 8 + 19)});
  ASSERT_EQ(stepper.dispatcher().status().ahead, 19);
}

TEST(DispatcherLooks, CLM_25_WhatStandsBehindALateJobIsRecalledAtTheLookThatFindsItLate) {
  Stepper stepper;
  come_to_jobs_ahead(stepper);
  EXPECT_EQ(stepper.wake(), stepper.now().steady + kLateCheck);
  stepper.pass(kLateCheck);
  EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{}))) << "4 ms are not yet too much";
  EXPECT_EQ(stepper.wake(), stepper.now().steady + kLateCheck);
  stepper.pass(kLateCheck);
  const auto recalled = find<Recall>(stepper.step(TimePassed{}));
  ASSERT_TRUE(recalled);
  EXPECT_EQ(recalled->jobs.size(), 19U);
  EXPECT_GT(*stepper.wake(), stepper.now().steady + kLateCheck) << "nothing is left to look at";
}

TEST(DispatcherLooks, ALookThatComesLateItselfRecallsNothing) {
  Stepper stepper;
  come_to_jobs_ahead(stepper);
  stepper.pass(2 * kLateCheck + 1us);
  EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{})));
  stepper.pass(kLateCheck);
  EXPECT_TRUE(find<Recall>(stepper.step(TimePassed{})));
}

TEST(DispatcherLooks, AProcessThatIsLeavingIsNotLookedAtAndKeepsNobodyAwake) {
  for (const bool by_itself : {false, true}) {
    Stepper stepper;
    come_to_jobs_ahead(stepper);
    if (by_itself) {
      stepper.step(AttemptsEnded{ProcessNumber{1},
                                 {{stepper.last_assigned().back(), RunResult::not_started, 0us, {}}}});
    } else {
      stepper.step(StopAsked{});
    }
    stepper.pass(3 * kLateCheck);
    EXPECT_FALSE(find<Recall>(stepper.step(TimePassed{})));
    EXPECT_GT(*stepper.wake(), stepper.now().steady);
  }
}

}  // namespace
}  // namespace tenure::daemon
