#include <tenure/base/log.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>
#include <worker/job_lines.hpp>

namespace tenure::daemon {
namespace {

class FailureLinesTest : public ::testing::Test {
 protected:
  FailureLinesTest() { log::capture_for_test(&lines_); }
  ~FailureLinesTest() override { log::capture_for_test(nullptr); }

  // The line of that failure.
  std::string line_of(ErrorCode code, int releases = 0) {
    queue::AssignedJob job{.claim = {},
                           .id = {},
                           .kind = "billing.close",
                           .envelope = {},
                           .attempt = attempt_,
                           .attempts_max = 3};
    job.tenant = TenantName{"acme"};
    job.releases = releases;
    lines_.clear();
    FailureLines{clock_}.write(
        job, {.claim = {}, .result = queue::RunResult::failed, .failure = {code, "no answer"}}, stop_);
    return lines_.empty() ? "" : lines_.front();
  }
  void expect_says(ErrorCode code, const std::string& event, const std::string& words, int releases = 0) {
    const std::string line = line_of(code, releases);
    for (const std::string& text :
         {event, words, std::string{"acme"}, std::string{"billing.close"}, std::string{"no answer"}})
      EXPECT_NE(line.find(text), std::string::npos) << text << " is not in " << line;
  }

  int attempt_ = 1;
  std::optional<queue::StopReason> stop_;
  VirtualClock clock_;
  std::vector<std::string> lines_;
};

TEST_F(FailureLinesTest, SayWhetherTheJobIsTriedAgainOrDead) {
  expect_says(ErrorCode::handler_failed, "job.failed", "the job is tried again");
  attempt_ = 3;
  expect_says(ErrorCode::handler_failed, "job.failed", "the job is dead");
  attempt_ = 1;
  expect_says(ErrorCode::record_not_found, "job.failed", "the job is dead");
}

TEST_F(FailureLinesTest, SayThatTheJobWasCancelledWhateverItsRunEndedWith) {
  stop_ = queue::StopReason::operator_asked;
  for (const ErrorCode code : {ErrorCode::interrupted, ErrorCode::tenant_busy, ErrorCode::record_not_found})
    expect_says(code, "job.cancelled", "an operator has cancelled the job");
  stop_ = queue::StopReason::time_limit;
  expect_says(ErrorCode::time_limit, "job.failed", "the job is tried again");
}

TEST_F(FailureLinesTest, SayWhatCostsNothing) {
  expect_says(ErrorCode::tenant_busy, "job.released", "costs nothing and comes again");
  expect_says(ErrorCode::newer_envelope, "job.released", "waits for a program that reads its envelope");
}

// Free eight times, and then a failure.
TEST_F(FailureLinesTest, ABusyStoreIsFreeOnlyAsLongAsTheRuleSays) {
  expect_says(ErrorCode::store_busy, "job.released", "costs nothing", 7);
  expect_says(ErrorCode::store_busy, "job.failed", "the job is tried again", 8);
}

TEST_F(FailureLinesTest, WhatCostsNothingIsToldOnceASecond) {
  FailureLines lines{clock_};
  const queue::AssignedJob job{.claim = {}, .id = {}, .kind = "k", .envelope = {}};
  const queue::AttemptEnd end{
      .claim = {}, .result = queue::RunResult::failed, .failure = {ErrorCode::tenant_busy, "x"}};
  for (int run = 0; run < 5; ++run) lines.write(job, end, std::nullopt);
  EXPECT_EQ(lines_.size(), 1U);
  clock_.advance(std::chrono::seconds{1});
  lines.write(job, end, std::nullopt);
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[1].find("4 more"), std::string::npos) << lines_[1];
}

}  // namespace
}  // namespace tenure::daemon
