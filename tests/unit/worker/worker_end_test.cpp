#include <gtest/gtest.h>

#include <protocol/worker_end.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::JobSeq;
using queue::RunResult;
using LeaveReason = WorkerEnd::LeaveReason;

AssignedJob job(std::int64_t seq) { return {.claim = {JobSeq{seq}, {queue::Incarnation{1}, seq}}}; }
AttemptEnd end_of(std::int64_t seq) { return {.claim = job(seq).claim, .failure = {}}; }

class WorkerEndTest : public ::testing::Test {
 protected:
  // What it says to `frames`, in one piece.
  template <class... Frames>
  void say(const Frames&... frames) {
    std::string bytes;
    (write_frame(bytes, frames), ...);
    take(end_.received(bytes));
  }
  void assign(std::int64_t first, std::int64_t last) {
    for (std::int64_t seq = first; seq <= last; ++seq)
      say(AssignFrame{.job = job(seq), .receipt_horizon = {}});
  }
  void welcome(std::uint16_t slots) {
    say(WelcomeFrame{.slots = slots});
    static_cast<void>(written());
  }
  void take(WorkerEnd::Actions actions) {
    for (WorkerEnd::Action& action : actions) {
      if (const auto* slots = std::get_if<WorkerEnd::OpenSlots>(&action)) slots_ = slots->count;
      if (auto* work = std::get_if<WorkerEnd::Perform>(&action)) performing_.push_back(std::move(*work));
      if (auto* token = std::get_if<WorkerEnd::GiveStopToken>(&action)) token->signal.give(token->reason);
      if (auto* leave = std::get_if<WorkerEnd::Leave>(&action)) left_ = std::move(*leave);
    }
  }
  // The frames that it wants to say, now said.
  std::vector<Frame> written() {
    std::string bytes;
    if (!end_.take_outgoing(bytes)) return {};
    take(end_.written());
    FrameReader reader;
    reader.feed(bytes);
    std::vector<Frame> frames;
    while (auto frame = *reader.next()) frames.push_back(std::move(*frame));
    return frames;
  }
  std::vector<std::pair<std::int64_t, RunResult>> reports() {
    std::vector<std::pair<std::int64_t, RunResult>> reports;
    for (const Frame& frame : written()) {
      const auto& finished = std::get<FinishedFrame>(frame);
      reports.emplace_back(finished.end.claim.seq.value, finished.end.result);
    }
    return reports;
  }
  std::vector<std::int64_t> performing() const {
    std::vector<std::int64_t> jobs;
    for (const auto& work : performing_) jobs.push_back(work.job.claim.seq.value);
    return jobs;
  }

  WorkerEnd end_{HelloFrame{.program_version = "1", .kinds = {{"a.b", "default"}}}};
  std::size_t slots_ = 0;
  std::vector<WorkerEnd::Perform> performing_;
  std::optional<WorkerEnd::Leave> left_;
};

using Numbers = std::vector<std::int64_t>;
using Reports = std::vector<std::pair<std::int64_t, RunResult>>;

TEST_F(WorkerEndTest, SaysHelloFirstAndOpensAsManySlotsAsItIsTold) {
  const auto frames = written();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(std::get<HelloFrame>(frames[0]).kinds.at(0).name, "a.b");
  welcome(3);
  EXPECT_EQ(slots_, 3U);
}

TEST_F(WorkerEndTest, PerformsInTheOrderOfAssignmentAsManyAsThereAreSlots) {
  welcome(2);
  assign(1, 4);
  EXPECT_EQ(performing(), (Numbers{1, 2}));
  take(end_.finished(end_of(2)));
  EXPECT_EQ(performing(), (Numbers{1, 2, 3}));
  take(end_.finished(end_of(3)));
  take(end_.finished(end_of(1)));
  EXPECT_EQ(performing(), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(reports(),
            (Reports{{2, RunResult::succeeded}, {3, RunResult::succeeded}, {1, RunResult::succeeded}}))
      << "in one piece";
}

TEST_F(WorkerEndTest, AReceiptHorizonIsToldBeforeTheJobThatItCameBeside) {
  welcome(2);
  AssignFrame frame{.job = job(1),
                    .receipt_horizon = queue::JobId{*Uuid::parse("019cadfe-0000-7000-8000-0000000000ff")}};
  frame.job.tenant = TenantName{"acme"};
  frame.job.generation = Generation{3};
  std::string bytes;
  write_frame(bytes, frame);
  const WorkerEnd::Actions actions = end_.received(bytes);
  ASSERT_EQ(actions.size(), 2U);
  const auto& told = std::get<WorkerEnd::UseReceiptHorizon>(actions[0]);
  EXPECT_EQ(told.owner, (queue::OutboxOwner{TenantName{"acme"}, Generation{3}}));
  EXPECT_EQ(told.horizon, frame.receipt_horizon);
  EXPECT_TRUE(std::holds_alternative<WorkerEnd::Perform>(actions[1]));
  bytes.clear();
  frame.job = job(2);  // untenanted: it says nothing of any file
  write_frame(bytes, frame);
  EXPECT_EQ(end_.received(bytes).size(), 1U);
}

TEST_F(WorkerEndTest, CLM_25_RecallTakesBackOnlyWhatHasNotStarted) {
  welcome(1);
  assign(1, 2);
  say(RecallFrame{job(1).claim});
  EXPECT_EQ(reports(), Reports{}) << "it runs";
  say(RecallFrame{{JobSeq{2}, job(3).claim.token}});
  EXPECT_EQ(reports(), Reports{}) << "another claim of the same job";
  say(RecallFrame{job(2).claim});
  EXPECT_EQ(reports(), (Reports{{2, RunResult::not_started}}));
  say(RecallFrame{job(2).claim});
  EXPECT_EQ(reports(), Reports{}) << "twice";
}

TEST_F(WorkerEndTest, RUN_13_WhatARunTellsGoesBeforeItsEndAndOnlyWhileItRuns) {
  welcome(1);
  assign(1, 2);
  end_.tell({job(1).claim, queue::Progress{1, 2, "x"}, ""});
  end_.tell({{JobSeq{1}, job(3).claim.token}, std::nullopt, "another claim"});
  end_.tell({job(2).claim, std::nullopt, "it waits"});
  take(end_.finished(end_of(1)));
  end_.tell({job(1).claim, std::nullopt, "late"});
  const auto frames = written();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(std::get<ProgressFrame>(frames[0]).news.progress->text, "x");
  EXPECT_EQ(std::get<FinishedFrame>(frames[1]).end.claim, job(1).claim);
}

TEST_F(WorkerEndTest, StopTokensReachTheNamedJobOrAll) {
  welcome(2);
  assign(1, 2);
  say(StopTokenFrame{.seq = JobSeq{2}});
  EXPECT_FALSE(performing_[0].stop.reason().has_value());
  EXPECT_TRUE(performing_[1].stop.reason().has_value());
  say(StopTokenFrame{});
  EXPECT_TRUE(performing_[0].stop.reason().has_value());
}

TEST_F(WorkerEndTest, STP_01_ADrainedOneLeavesWhenItsLastReportIsWritten) {
  welcome(1);
  assign(1, 3);
  say(DrainFrame{});
  EXPECT_EQ(reports(), (Reports{{2, RunResult::not_started}, {3, RunResult::not_started}}));
  take(end_.finished(end_of(1)));
  EXPECT_FALSE(left_) << "the report is still to be written";
  std::string bytes;
  ASSERT_TRUE(end_.take_outgoing(bytes));
  EXPECT_FALSE(left_) << "it is being written";
  take(end_.written());
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::drained);
}

TEST_F(WorkerEndTest, ADrainedOneWithNothingToDoLeavesAtOnce) {
  welcome(1);
  say(DrainFrame{});
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::drained);
}

TEST_F(WorkerEndTest, LSE_17_WhenTheDaemonIsGoneItStopsWhatRunsAndStartsNothing) {
  welcome(1);
  assign(1, 2);
  take(end_.stream_ended("gone"));
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::stream_ended);
  EXPECT_TRUE(performing_[0].stop.reason().has_value());
  take(end_.finished(end_of(1)));
  EXPECT_EQ(performing(), (Numbers{1}));
  EXPECT_EQ(written().size(), 0U);
}

TEST_F(WorkerEndTest, RUN_16_LeavesWhenItIsRefusedOrWelcomedInALanguageThatItDidNotOffer) {
  say(RefusedFrame{"too old"});
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::refused);
  EXPECT_EQ(left_->cause, "too old");

  WorkerEnd other{HelloFrame{.program_version = {}, .kinds = {}}};
  std::string bytes;
  write_frame(bytes, WelcomeFrame{.protocol = kProtocolVersion + 1});
  left_.reset();
  take(other.received(bytes));
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::protocol_violation);
}

// Each alone, behind a welcome where there is one.
TEST_F(WorkerEndTest, LSE_15_AFrameOutOfTurnEndsIt) {
  const Frame assign_1 = AssignFrame{.job = job(1), .receipt_horizon = {}};
  const std::vector<std::vector<Frame>> scripts{
      {assign_1},
      {PingFrame{}},
      {DrainFrame{}},
      {RecallFrame{}},
      {StopTokenFrame{}},
      {HelloFrame{.program_version = {}, .kinds = {}}},
      {WelcomeFrame{}, WelcomeFrame{}},
      {WelcomeFrame{}, FinishedFrame{}},
      {WelcomeFrame{}, PongFrame{}},
      {WelcomeFrame{}, LeavingFrame{}},
      {DescribeFrame{}},
      {WelcomeFrame{}, assign_1, assign_1},
      {WelcomeFrame{}, assign_1, DrainFrame{}, AssignFrame{.job = job(2), .receipt_horizon = {}}},
  };
  for (std::size_t script = 0; script < scripts.size(); ++script) {
    WorkerEnd end{HelloFrame{.program_version = {}, .kinds = {}}};
    std::string bytes;
    for (const Frame& frame : scripts[script]) write_frame(bytes, frame);
    left_.reset();
    take(end.received(bytes));
    ASSERT_TRUE(left_) << "script " << script;
    EXPECT_EQ(left_->reason, LeaveReason::protocol_violation) << "script " << script;
    EXPECT_TRUE(end.received(bytes).empty()) << "what comes behind it is not looked at";
  }
}

TEST_F(WorkerEndTest, STP_11_ToldToEndItAsksOnceToBeDrainedAndGoesOnUntilThen) {
  welcome(1);
  say(AssignFrame{.job = job(1), .receipt_horizon = {}});
  static_cast<void>(written());
  take(end_.told_to_end());
  take(end_.told_to_end());
  const auto frames = written();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<LeavingFrame>(frames[0]));
  EXPECT_FALSE(left_);
  say(DrainFrame{});
  take(end_.told_to_end());
  take(end_.finished(end_of(1)));
  EXPECT_EQ(written().size(), 1U) << "the report, and nothing about leaving";
  ASSERT_TRUE(left_);
  EXPECT_EQ(left_->reason, LeaveReason::drained);
}

TEST_F(WorkerEndTest, STP_11_ToldToEndBeforeItsWelcomeItAsksBehindIt) {
  static_cast<void>(written());  // the hello
  take(end_.told_to_end());
  EXPECT_FALSE(end_.has_outgoing());
  EXPECT_FALSE(left_) << "the daemon may have claimed for it already";
  say(WelcomeFrame{.slots = 1});
  const auto frames = written();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<LeavingFrame>(frames[0]));
}

// Another thread may want to write what it has just finished.
TEST_F(WorkerEndTest, AWriteThatFailsIsTheLast) {
  welcome(1);
  say(AssignFrame{.job = job(1), .receipt_horizon = {}});
  take(end_.finished(end_of(1)));
  std::string bytes;
  ASSERT_TRUE(end_.take_outgoing(bytes));
  take(end_.stream_ended("the daemon does not read the socket"));
  EXPECT_FALSE(end_.take_outgoing(bytes));
}

}  // namespace
}  // namespace tenure::daemon
