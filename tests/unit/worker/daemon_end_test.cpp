#include <tenure/queue/envelope.hpp>

#include <gtest/gtest.h>

#include <protocol/daemon_end.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::JobSeq;

const HelloFrame kHello{.program_version = "billing 1.2", .kinds = {{"a.b", "default"}}};

FinishedFrame finished(std::int64_t seq) {
  return {{.claim = {JobSeq{seq}, {queue::Incarnation{1}, seq}}, .failure = {}}};
}

class DaemonEndTest : public ::testing::Test {
 protected:
  template <class... Frames>
  void hear(const Frames&... frames) {
    std::string bytes;
    (write_frame(bytes, frames), ...);
    take(end_.received(bytes));
  }
  void take(DaemonEnd::Actions actions) {
    for (DaemonEnd::Action& action : actions) {
      if (auto* deliver = std::get_if<DaemonEnd::Deliver>(&action))
        events_.push_back(std::move(deliver->event));
      if (auto* broken = std::get_if<DaemonEnd::Broken>(&action)) broken_.push_back(std::move(broken->cause));
      waits_ += std::holds_alternative<DaemonEnd::AwaitEnd>(action) ? 1 : 0;
      ended_ += std::holds_alternative<DaemonEnd::Ended>(action) ? 1 : 0;
    }
  }
  std::vector<Frame> said() {
    std::string bytes;
    if (!end_.take_outgoing(bytes)) return {};
    FrameReader reader;
    reader.feed(bytes);
    std::vector<Frame> frames;
    while (auto frame = *reader.next()) frames.push_back(std::move(*frame));
    return frames;
  }

  DaemonEnd end_{ProcessNumber{3}, 5};
  std::vector<Event> events_;
  std::vector<std::string> broken_;
  int waits_ = 0;
  int ended_ = 0;
};

TEST_F(DaemonEndTest, RUN_16_WelcomesAHelloAndTellsTheDispatcher) {
  hear(kHello);
  const auto frames = said();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(std::get<WelcomeFrame>(frames[0]), (WelcomeFrame{.protocol = kProtocolVersion, .slots = 5}));
  ASSERT_EQ(events_.size(), 1U);
  const auto& ready = std::get<WorkerReady>(events_[0]);
  EXPECT_EQ(ready.process, ProcessNumber{3});
  EXPECT_EQ(ready.slots, 5);
  EXPECT_EQ(ready.kinds, std::vector<std::string>{"a.b"});
  EXPECT_EQ(ready.default_queues, std::vector<std::string>{"default"});
}

TEST_F(DaemonEndTest, RUN_16_RefusesAnotherProtocolInWords) {
  hear(HelloFrame{.protocol_min = 2, .protocol_max = 3, .program_version = {}, .kinds = {}});
  EXPECT_EQ(broken_.size(), 1U);
  const auto frames = said();
  ASSERT_EQ(frames.size(), 1U) << "the refusal is still to be written";
  EXPECT_NE(std::get<RefusedFrame>(frames[0]).reason.find("2 to 3"), std::string::npos);
}

TEST_F(DaemonEndTest, AllEndsOfOneReadAreOneEvent) {
  hear(kHello);
  hear(finished(1), finished(2));
  hear(finished(3));
  ASSERT_EQ(events_.size(), 3U);
  EXPECT_EQ(std::get<AttemptsEnded>(events_[1]).ends.size(), 2U);
  EXPECT_EQ(std::get<AttemptsEnded>(events_[2]).ends.at(0).claim.seq, JobSeq{3});
  EXPECT_EQ(std::get<AttemptsEnded>(events_[2]).process, ProcessNumber{3});
}

TEST_F(DaemonEndTest, WhatRunsHaveToldComesBeforeTheirEnds) {
  hear(kHello);
  const ProgressFrame told{{finished(1).end.claim, queue::Progress{1, 2, "x"}, "c"}};
  hear(told, finished(1), ProgressFrame{{finished(2).end.claim, std::nullopt, "d"}});
  ASSERT_EQ(events_.size(), 3U);
  const auto& news = std::get<RunsTold>(events_[1]);
  EXPECT_EQ(news.process, ProcessNumber{3});
  ASSERT_EQ(news.news.size(), 2U);
  EXPECT_EQ(news.news[0], told.news);
  EXPECT_EQ(std::get<AttemptsEnded>(events_[2]).ends.size(), 1U);
}

TEST_F(DaemonEndTest, LSE_15_WhatWasSaidBeforeTheBadFrameCounts) {
  hear(kHello);
  hear(finished(1), DrainFrame{}, finished(2));
  ASSERT_EQ(events_.size(), 2U);
  EXPECT_EQ(std::get<AttemptsEnded>(events_[1]).ends.size(), 1U) << "and what came behind it does not";
  EXPECT_EQ(broken_.size(), 1U);
  hear(finished(3));
  take(end_.stream_ended("closed its socket"));
  EXPECT_EQ(events_.size(), 2U);
  EXPECT_EQ(broken_.size(), 1U);
  end_.ping();
  static_cast<void>(said());
  EXPECT_FALSE(end_.has_outgoing());
}

TEST_F(DaemonEndTest, LSE_15_AFrameOutOfTurnBreaksTheStream) {
  const std::vector<std::vector<Frame>> scripts{
      {finished(1)},           {PongFrame{}},         {ProgressFrame{}},         {DrainFrame{}},
      {kHello, kHello},        {LeavingFrame{}},      {kHello, DescribeFrame{}}, {kHello, PongFrame{}},
      {kHello, AssignFrame{}}, {kHello, PingFrame{}}, {kHello, WelcomeFrame{}},
  };
  for (std::size_t script = 0; script < scripts.size(); ++script) {
    DaemonEnd end{ProcessNumber{1}, 1};
    std::string bytes;
    for (const Frame& frame : scripts[script]) write_frame(bytes, frame);
    broken_.clear();
    take(end.received(bytes));
    EXPECT_EQ(broken_.size(), 1U) << "script " << script;
  }
}

TEST_F(DaemonEndTest, AJobTakesItsReceiptHorizonAlong) {
  hear(kHello);
  static_cast<void>(said());
  const queue::JobId horizon{*Uuid::parse("019cadfe-0000-7000-8000-0000000000ff")};
  end_.assign({.seq = JobSeq{1}, .kind = "a.b"}, horizon);
  end_.assign({.seq = JobSeq{2}, .kind = "a.b"});
  const auto frames = said();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(std::get<AssignFrame>(frames[0]).receipt_horizon, horizon);
  EXPECT_EQ(std::get<AssignFrame>(frames[1]).receipt_horizon, queue::JobId{});
}

TEST_F(DaemonEndTest, STP_11_AProcessThatWasToldToEndIsAnEvent) {
  hear(kHello);
  hear(finished(1), LeavingFrame{});
  ASSERT_EQ(events_.size(), 3U);
  EXPECT_EQ(std::ranges::count_if(
                events_, [](const Event& event) { return std::holds_alternative<WorkerLeaving>(event); }),
            1);
  EXPECT_TRUE(broken_.empty());
  end_.describe();
  EXPECT_TRUE(std::holds_alternative<DescribeFrame>(said().back()));
}

TEST_F(DaemonEndTest, AnswersToPingsAreCounted) {
  hear(kHello);
  end_.ping();
  end_.ping();
  hear(PongFrame{}, PongFrame{});
  EXPECT_TRUE(broken_.empty());
  hear(PongFrame{});
  EXPECT_EQ(broken_.size(), 1U);
}

TEST_F(DaemonEndTest, ADrainedProcessMayCloseItsSocket) {
  hear(kHello);
  end_.drain();
  take(end_.stream_ended("closed its socket"));
  EXPECT_TRUE(broken_.empty());
  take(end_.process_ended());
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(waits_, 0);
}

TEST_F(DaemonEndTest, LSE_15_NoOtherMayAndNoneInTheMiddleOfAFrame) {
  hear(kHello);
  end_.drain();
  std::string bytes;
  write_frame(bytes, finished(1));
  take(end_.received(bytes.substr(0, bytes.size() - 1)));
  take(end_.stream_ended("closed its socket"));
  EXPECT_EQ(broken_, std::vector<std::string>{"closed its socket"});
}

TEST_F(DaemonEndTest, LSE_15_ADeadProcessIsHeardOutForABoundedTime) {
  hear(kHello);
  take(end_.process_ended());
  EXPECT_EQ(waits_, 1);
  hear(finished(1));
  EXPECT_EQ(events_.size(), 2U) << "a job that it reported is not one that it took along";
  take(end_.waited_enough());
  EXPECT_EQ(ended_, 1);
  hear(finished(2));
  take(end_.stream_ended("closed its socket"));
  EXPECT_EQ(events_.size(), 2U);
  EXPECT_EQ(ended_, 1);
  EXPECT_TRUE(broken_.empty()) << "nobody is left to be ended";
}

TEST_F(DaemonEndTest, AssignsWhatAClaimSaysAndCutsWhatNoWorkerCouldRead) {
  hear(kHello);
  static_cast<void>(said());
  queue::ClaimedJob job;
  job.seq = JobSeq{9};
  job.token = {queue::Incarnation{2}, 4};
  job.tenant = TenantName{"acme"};
  job.kind = "a.b";
  job.failures = 2;
  job.attempts_max = 7;
  for (const std::size_t size : {queue::kEnvelopeMax - 1, queue::kEnvelopeMax}) {
    queue::ClaimedJob longest = job;
    longest.envelope.assign(size, 'x');
    end_.assign(std::move(longest));
    const auto frames = said();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(std::get<AssignFrame>(frames[0]).job.envelope.size(), size) << "whole, with its seal";
  }
  job.envelope.assign(queue::kEnvelopeMax + 1, 'x');
  end_.assign(std::move(job));
  const auto frames = said();
  ASSERT_EQ(frames.size(), 1U);
  const queue::AssignedJob& assigned = std::get<AssignFrame>(frames[0]).job;
  EXPECT_EQ(assigned.claim, (queue::ClaimRef{JobSeq{9}, {queue::Incarnation{2}, 4}}));
  EXPECT_EQ(assigned.tenant, TenantName{"acme"});
  EXPECT_EQ(assigned.attempt, 3);
  EXPECT_EQ(assigned.attempts_max, 7);
  EXPECT_EQ(assigned.envelope.size(), queue::kEnvelopeMax);
}

}  // namespace
}  // namespace tenure::daemon
