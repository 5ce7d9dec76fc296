#include <gtest/gtest.h>

#include <worker/job_board.hpp>

namespace tenure::daemon {
namespace {

using queue::JobSeq;

AssignedJob job(std::int64_t seq) { return {.claim = {JobSeq{seq}, {queue::Incarnation{1}, seq}}}; }

TEST(JobBoard, AsksForAsManyPerformersAsThereAreSlots) {
  JobBoard board;
  EXPECT_TRUE(board.add(job(1), 2));
  EXPECT_TRUE(board.add(job(2), 2));
  EXPECT_FALSE(board.add(job(3), 2)) << "both slots have a performer, which will take it";
}

TEST(JobBoard, JobsAreTakenInTheOrderOfTheirAssignment) {
  JobBoard board;
  for (std::int64_t seq = 1; seq <= 3; ++seq) static_cast<void>(board.add(job(seq), 1));
  for (std::int64_t seq = 1; seq <= 3; ++seq) EXPECT_EQ(board.take()->job.claim.seq, JobSeq{seq});
  EXPECT_FALSE(board.take());
  EXPECT_TRUE(board.add(job(4), 1)) << "the performer has ended, so the next job needs a new one";
}

TEST(JobBoard, CLM_25_RecallTakesBackOnlyWhatHasNotStarted) {
  JobBoard board;
  static_cast<void>(board.add(job(1), 1));
  static_cast<void>(board.add(job(2), 1));
  static_cast<void>(board.take());
  EXPECT_FALSE(board.recall(job(1).claim)) << "it runs";
  EXPECT_FALSE(board.recall({JobSeq{2}, job(3).claim.token})) << "another claim of the same job";
  EXPECT_EQ(board.recall(job(2).claim)->claim.seq, JobSeq{2});
  EXPECT_FALSE(board.recall(job(2).claim)) << "twice";
}

TEST(JobBoard, StopTokensReachTheNamedJobOrAll) {
  JobBoard board;
  static_cast<void>(board.add(job(1), 2));
  static_cast<void>(board.add(job(2), 2));
  const auto first = board.take();
  const auto second = board.take();
  board.give_stop_token(JobSeq{2});
  EXPECT_FALSE(first->stop.stop_requested());
  EXPECT_TRUE(second->stop.stop_requested());
  board.give_stop_token({});
  EXPECT_TRUE(first->stop.stop_requested());
}

TEST(JobBoard, IsIdleWhenNothingWaitsOrRuns) {
  JobBoard board;
  EXPECT_TRUE(board.idle());
  static_cast<void>(board.add(job(1), 1));
  EXPECT_FALSE(board.idle());
  static_cast<void>(board.take());
  EXPECT_FALSE(board.idle());
  board.finished(JobSeq{1});
  EXPECT_TRUE(board.idle());
}

}  // namespace
}  // namespace tenure::daemon
