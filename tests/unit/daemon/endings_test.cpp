#include "endings.hpp"

#include "rounds_by_hand.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::JobSeq;
using queue::JobState;

const Now kNow{from_us(1'700'000'000'000'000), Instant{1s}};

// One process with two slots that holds the jobs 1, 2, 3, ...
class EndingsTest : public ::testing::Test {
 protected:
  EndingsTest() {
    process.number = ProcessNumber{1};
    process.phase = Phase::ready;
    process.slots = 2;
    process.jobs = Outstanding{2};
  }
  void hold(std::int64_t count) {
    for (std::int64_t seq = 1; seq <= count; ++seq) {
      queue::ClaimedJob job;
      job.seq = JobSeq{seq};
      job.token = {queue::Incarnation{7}, seq};
      job.lane = kLane;
      job.place = {WallTime{}, JobSeq{seq}};
      job.attempts_max = 10;
      process.assigned(job, 100, kNow.steady);
    }
    lanes.ring(0).assigned(kLane.tenant, process.number, static_cast<int>(count));
  }
  static queue::ClaimRef claim(std::int64_t seq) { return {JobSeq{seq}, {queue::Incarnation{7}, seq}}; }
  void ended(std::int64_t seq, RunResult result) {
    endings.attempt_ended(process, {claim(seq), result, 50us, {ErrorCode::handler_failed, "no"}}, true, kNow);
  }
  static std::vector<Result<JobState>> all(const std::vector<ClaimEnd>& ends, JobState state) {
    return std::vector<Result<JobState>>(ends.size(), Result<JobState>{state});
  }

  DispatcherSettings settings{.pools = {PoolSettings{"default", 1, {"default"}}}};
  Lanes lanes{settings.pools};
  Arrivals arrivals{lanes};
  std::vector<UsualRunTimes> usual{1};
  Processes processes{settings};
  LoneJobs lone_jobs{processes, lanes};
  DispatcherStatus figures;
  Endings endings{lanes, arrivals, usual, lone_jobs, figures, 1};
  Process process;
};

TEST_F(EndingsTest, WhatEndsIsPendingThenUnderWayThenStored) {
  hold(3);
  ended(1, RunResult::succeeded);
  ended(2, RunResult::succeeded);
  EXPECT_EQ(endings.pending(), 2U);
  const auto first = endings.take(1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].claim, claim(1));
  EXPECT_EQ(endings.pending(), 1U);
  EXPECT_EQ(endings.under_way(), 1U);
  EXPECT_FALSE(endings.all_stored());
  endings.stored(first, all(first, JobState::succeeded), kNow.steady);
  EXPECT_EQ(figures.succeeded, 1);
  const auto second = endings.take(100);
  endings.stored(second, all(second, JobState::succeeded), kNow.steady);
  EXPECT_TRUE(endings.all_stored());
}

TEST_F(EndingsTest, LSE_10_WhatWasNotStoredIsAskedAgainBeforeWhatCameLater) {
  hold(3);
  ended(1, RunResult::succeeded);
  ended(2, RunResult::failed);
  endings.not_stored(endings.take(100));
  ended(3, RunResult::not_started);
  const auto ends = endings.take(100);
  ASSERT_EQ(ends.size(), 3U);
  for (std::int64_t seq = 1; seq <= 3; ++seq)
    EXPECT_EQ(ends[static_cast<std::size_t>(seq) - 1].claim, claim(seq));
}

TEST_F(EndingsTest, AnAttemptThatIsReportedTwiceEndsOnce) {
  hold(1);
  ended(1, RunResult::succeeded);
  ended(1, RunResult::failed);
  EXPECT_EQ(endings.pending(), 1U);
}

TEST_F(EndingsTest, WhatIsGivenBackStandsInItsLaneAgainOnceThatIsStored) {
  hold(3);
  EXPECT_EQ(process.jobs.recall([](const OutstandingJob&) { return true; }).size(), 1U);
  ended(3, RunResult::not_started);
  EXPECT_EQ(lanes.count(), 0);
  const auto ends = endings.take(100);
  endings.stored(ends, all(ends, JobState::ready), kNow.steady);
  EXPECT_EQ(lanes.count(), 1);
  EXPECT_EQ(process.phase, Phase::ready);
}

TEST_F(EndingsTest, AProcessThatGivesBackWhatNobodyRecalledIsLeaving) {
  hold(1);
  ended(1, RunResult::not_started);
  EXPECT_EQ(process.phase, Phase::leaving);
}

TEST_F(EndingsTest, AFailureIsDueAgainAndALostClaimChangesNothing) {
  hold(2);
  ended(1, RunResult::failed);
  ended(2, RunResult::failed);
  const auto ends = endings.take(100);
  const WallTime due = std::get<EndRetry>(ends[0].how).due;
  std::vector<Result<JobState>> states = all(ends, JobState::scheduled);
  states[1] = fail(ErrorCode::claim_lost, "moved on");
  endings.stored(ends, states, kNow.steady);
  EXPECT_EQ(arrivals.next_due(), due);
  EXPECT_EQ(figures.failed, 1);
  EXPECT_EQ(figures.claims_lost, 1);
  EXPECT_TRUE(endings.all_stored());
}

TEST_F(EndingsTest, LSE_04_ADeadProcessGivesBackWhatHadNotStartedAndIsChargedForTheRest) {
  hold(3);
  const auto suspects = endings.process_ended(process, WorkerGone{ProcessNumber{1}, "signal 11"}, true, {});
  EXPECT_EQ(suspects, (std::vector{queue::JobSeq{1}, queue::JobSeq{2}}));
  const auto ends = endings.take(100);
  ASSERT_EQ(ends.size(), 3U);
  for (const std::size_t running : {0U, 1U})
    EXPECT_EQ(std::get<EndReclaim>(ends[running].how).charge, queue::CrashCharge::counted);
  EXPECT_FALSE(std::get<EndRelease>(ends[2].how).started);
}

TEST_F(EndingsTest, WhereNoJobCanHaveAProcessOfItsOwnTheyReturnToTheirLanes) {
  hold(2);
  const auto suspects = endings.process_ended(process, WorkerGone{ProcessNumber{1}, "exit 0"}, false, {});
  EXPECT_TRUE(suspects.empty());
  for (const ClaimEnd& end : endings.take(100))
    EXPECT_EQ(std::get<EndReclaim>(end.how).charge, queue::CrashCharge::counted);
}

// What the dispatcher believes is corrected by the board: the second has ended and its report was lost with the process, or it had not
// begun; the third had begun already.
TEST_F(EndingsTest, TheBoardSaysWhichJobsHadBegun) {
  hold(3);
  WorkerGone gone{ProcessNumber{1}, "signal 9"};
  gone.slots = LastSlots{.begun = {claim(1), claim(3)}, .crashed = {}};
  const auto suspects = endings.process_ended(process, gone, true, {});
  EXPECT_EQ(suspects, (std::vector{queue::JobSeq{1}, queue::JobSeq{3}}));
  const auto ends = endings.take(100);
  EXPECT_FALSE(std::get<EndRelease>(ends[1].how).started);
}

TEST_F(EndingsTest, WhatHadEndedUntoldIsNoCompanyAndWhoIsNamedIsChargedAllTheSame) {
  hold(2);
  WorkerGone gone{ProcessNumber{1}, "signal 11"};
  gone.slots = LastSlots{.begun = {claim(1), claim(2)},
                         .crashed = {claim(2)},
                         .ended = {{claim(1), RunResult::succeeded, 70us, {}},
                                   {claim(2), RunResult::succeeded, 70us, {}},
                                   {claim(9), RunResult::succeeded, 70us, {}}}};
  static_cast<void>(endings.process_ended(process, gone, true, {}));
  auto ends = endings.take(100);
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<EndSucceeded>(ends[0].how));
  EXPECT_EQ(std::get<EndReclaim>(ends[1].how).charge, queue::CrashCharge::counted);
  EXPECT_EQ(LastMoment(process, gone).begun(), 1U);
  gone.slots->crashed.clear();
  EXPECT_EQ(LastMoment(process, gone).begun(), 0U);
}

// It ended while its process was being ended for it.
TEST_F(EndingsTest, ASuccessAtTheTimeLimitCounts) {
  hold(1);
  process.timed_out.push_back(JobSeq{1});
  WorkerGone gone{ProcessNumber{1}, "signal 9"};
  gone.slots =
      LastSlots{.begun = {claim(1)}, .crashed = {}, .ended = {{claim(1), RunResult::succeeded, 70us, {}}}};
  static_cast<void>(endings.process_ended(process, gone, true, {}));
  EXPECT_TRUE(std::holds_alternative<EndSucceeded>(endings.take(100).at(0).how));
}

TEST_F(EndingsTest, LSE_22_WhatAnAttemptKeepsOfItsProcess) {
  hold(3);
  process.name = "general.0";
  process.pid = 4711;
  ended(1, RunResult::failed);
  WorkerGone gone{ProcessNumber{1}, "exit 3"};
  gone.exit = queue::ProcessExit{queue::ProcessExit::By::code, 3};
  static_cast<void>(endings.process_ended(process, gone, true, {}));
  const auto ends = endings.take(100);
  EXPECT_EQ(std::get<EndRetry>(ends[0].how).failure.place, (queue::RunPlace{"general.0", 4711, {}}));
  EXPECT_EQ(std::get<EndReclaim>(ends[1].how).failure.place, (queue::RunPlace{"general.0", 4711, gone.exit}));
}

}  // namespace
}  // namespace tenure::daemon
