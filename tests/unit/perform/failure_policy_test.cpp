#include "failure_policy.hpp"

#include <tenure/queue/retry_rule.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

// What becomes of a job whose handler has thrown, by what that was.
namespace tenure::detail {
namespace {

using namespace std::chrono_literals;
using queue::Decided;
using queue::JobReason;
using queue::RunDecision;

struct MailError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Timeout : MailError {
  using MailError::MailError;
};
struct NoSuchRecipient : MailError {
  using MailError::MailError;
};
struct LongTimeout : Timeout {
  using Timeout::Timeout;
};

template <class Thrown>
std::exception_ptr thrown(Thrown error) {
  return std::make_exception_ptr(std::move(error));
}

const std::string kTimeout = name_of_error(typeid(Timeout));
const std::string kMailError = name_of_error(typeid(MailError));
const WallTime kNow = from_us(1'700'000'000'000'000);

class Policy : public ::testing::Test {
 protected:
  std::optional<RunDecision> decide(const std::exception_ptr& error,
                                    ErrorCode code = ErrorCode::handler_failed) const {
    return decision_on(error, {code, "no"}, policy_, job_, kNow);
  }
  // So many failures, and of these so many by rules.
  void has_failed(int failures, std::vector<queue::RuleCount> by_rule = {}) {
    job_.attempt = failures + 1;
    job_.history.by_rule = std::move(by_rule);
    if (failures > 0) job_.history.first = kNow - 1h;
  }

  FailurePolicy policy_{.errors = {retry_on<MailError>(3), discard_on<NoSuchRecipient>(),
                                   retry_on<Timeout>(20), dead_on<std::logic_error>()}};
  queue::AssignedJob job_{.claim = {},
                          .id = queue::JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")},
                          .tenant = {},
                          .generation = {},
                          .kind = "mail.send",
                          .envelope = {},
                          .attempts_max = 10};
};

TEST_F(Policy, TheRuleOfTheMostDerivedTypeTakesAnErrorWhereverItStands) {
  EXPECT_EQ(decide(thrown(MailError("no")))->rule, kMailError);
  EXPECT_EQ(decide(thrown(Timeout("no")))->rule, kTimeout);
  EXPECT_EQ(decide(thrown(LongTimeout("no")))->rule, kTimeout) << "the nearest one above it";
  EXPECT_EQ(decide(thrown(NoSuchRecipient("no"))), (RunDecision{.what = Decided::discard, .rule = {}}));
  EXPECT_EQ(decide(thrown(std::invalid_argument("no"))),
            (RunDecision{.what = Decided::dead, .reason = JobReason::by_rule, .rule = {}}));
  EXPECT_EQ(decide(thrown(std::runtime_error("no"))), std::nullopt) << "no rule's: the dispatcher's own";
  EXPECT_EQ(decide(thrown(7)), std::nullopt);
}

TEST_F(Policy, EachRuleCountsForItself) {
  has_failed(13, {{kMailError, 2}, {kTimeout, 11}});
  EXPECT_EQ(decide(thrown(Timeout("no")))->what, Decided::retry);
  EXPECT_EQ(decide(thrown(MailError("no")))->what, Decided::retry);
  has_failed(14, {{kMailError, 3}, {kTimeout, 11}});
  EXPECT_EQ(decide(thrown(Timeout("no")))->what, Decided::retry);
  EXPECT_EQ(decide(thrown(MailError("no"))),
            (RunDecision{.what = Decided::dead, .reason = JobReason::attempts_exhausted, .rule = {}}));
  EXPECT_EQ(decide(thrown(std::runtime_error("no"))), std::nullopt);
}

TEST_F(Policy, TheWaitIsByTheFailuresOfItsRule) {
  has_failed(9, {{kTimeout, 2}});
  const auto wait = decide(thrown(Timeout("no")))->wait;
  EXPECT_GE(wait, 3s * 27 + 15s);
  EXPECT_LE(wait, queue::retry_wait_max(3));
  EXPECT_EQ(decide(thrown(Timeout("no")))->wait, wait) << "whoever asks again";
}

TEST_F(Policy, AKindHasABackoffOfItsOwn) {
  policy_.backoff = {.first = 1s, .factor = 3.0, .max = 60s};
  const std::array<std::chrono::milliseconds, 6> bases{1s, 3s, 9s, 27s, 60s, 60s};
  for (std::size_t failures = 0; failures < bases.size(); ++failures) {
    has_failed(static_cast<int>(failures), {{kTimeout, static_cast<int>(failures)}});
    const auto wait = decide(thrown(Timeout("no")))->wait;
    EXPECT_GE(wait, bases[failures]) << failures;
    EXPECT_LE(wait, bases[failures] * 3 / 2) << failures;
  }
  has_failed(3);
  EXPECT_GE(decide(thrown(std::runtime_error("no")))->wait, 27s) << "also of what no rule takes";
  has_failed(9);
  EXPECT_EQ(decide(thrown(std::runtime_error("no")))->reason, JobReason::attempts_exhausted);
}

TEST_F(Policy, RTY_13_JobsThatFailTogetherDoNotRetryInOnePeakWhateverTheBackoff) {
  policy_.backoff = {.first = 60s, .factor = 2.0, .max = 60s};
  Random random{1};
  std::map<std::int64_t, int> in_second;
  for (int each = 0; each < 10'000; ++each) {
    Uuid::Bytes bytes{};
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    job_.id = queue::JobId{Uuid{bytes}};
    ++in_second[std::chrono::floor<std::chrono::seconds>(decide(thrown(Timeout("no")))->wait).count()];
  }
  for (const auto& [second, jobs] : in_second) EXPECT_LE(jobs, 500) << second;
}

TEST_F(Policy, RTY_11_ATimeBudgetEndsRetriesThoughAttemptsRemain) {
  policy_.backoff = {.first = 10min, .factor = 1.0};
  policy_.retry_for = 2h;
  has_failed(1, {{kTimeout, 1}});
  EXPECT_EQ(decide(thrown(Timeout("no")))->what, Decided::retry);
  job_.history.first = kNow - 2h + 9min;  // the wait would pass it
  const RunDecision over{.what = Decided::dead, .reason = JobReason::time_exhausted, .rule = {}};
  EXPECT_EQ(decide(thrown(Timeout("no"))), over);
  EXPECT_EQ(decide(thrown(std::runtime_error("no"))), over);
  EXPECT_EQ(decide(thrown(RetryIn(10min, "no"))), over);
  EXPECT_EQ(decide(thrown(RetryIn(9min, "no")))->what, Decided::retry);
  job_.history.first.reset();
  EXPECT_EQ(decide(thrown(Timeout("no")))->what, Decided::retry) << "it begins with the first failure";
}

TEST_F(Policy, RTY_11_OneAttemptIsNeverRetried) {
  job_.attempts_max = 1;
  for (const auto& error : {thrown(Timeout("no")), thrown(RetryIn(1s, "no"))})
    EXPECT_EQ(decide(error),
              (RunDecision{.what = Decided::dead, .reason = JobReason::attempts_exhausted, .rule = {}}));
  EXPECT_EQ(decide(thrown(Snooze(1s)))->what, Decided::put_off) << "which is no failure";
}

TEST_F(Policy, WhatTheHandlerSaysGoesBeforeEveryRule) {
  policy_.errors = {dead_on<std::runtime_error>()};
  has_failed(99);
  EXPECT_EQ(decide(thrown(Discard("paid already"))), (RunDecision{.what = Decided::discard, .rule = {}}));
  EXPECT_EQ(decide(thrown(PermanentFailure("no such account"))),
            (RunDecision{.what = Decided::dead, .reason = JobReason::permanent_error, .rule = {}}));
  EXPECT_EQ(decide(thrown(Snooze(kNow + 5min))),
            (RunDecision{.what = Decided::put_off, .wait = 5min, .rule = {}}));
  EXPECT_EQ(decide(thrown(Snooze(kNow - 5min)))->wait, 0s);
  EXPECT_EQ(decide(thrown(Snooze(24h * 9999)))->wait, queue::kDecidedWaitMax);
  has_failed(8);
  EXPECT_EQ(decide(thrown(RetryIn(3s, "busy"))),
            (RunDecision{.what = Decided::retry, .wait = 3s, .rule = {}}));
  has_failed(9);
  EXPECT_EQ(decide(thrown(RetryIn(3s, "busy")))->reason, JobReason::attempts_exhausted);
}

// Trouble of the world, and what was refused at the border, is nobody's to discard.
TEST_F(Policy, NoRuleTakesWhatIsNotTheJobsFailure) {
  policy_.errors = {discard_on<std::exception>()};
  for (const ErrorCode code : {ErrorCode::tenant_busy, ErrorCode::disk, ErrorCode::tenant_unavailable,
                               ErrorCode::wrong_tenant, ErrorCode::bad_seal, ErrorCode::interrupted})
    EXPECT_EQ(decide(thrown(std::runtime_error("no")), code), std::nullopt) << name_of(code);
  for (const ErrorCode code :
       {ErrorCode::handler_failed, ErrorCode::record_not_found, ErrorCode::query_failed})
    EXPECT_EQ(decide(thrown(std::runtime_error("no")), code)->what, Decided::discard) << name_of(code);
  policy_.errors = {};
  policy_.backoff.first = 1s;
  EXPECT_EQ(decide(thrown(std::runtime_error("no")), ErrorCode::record_not_found), std::nullopt)
      << "which no retry heals";
}

TEST_F(Policy, OfAKindThatSaysNothingNothingIsDecided) {
  policy_ = {};
  EXPECT_EQ(decide(thrown(Timeout("no"))), std::nullopt);
}

// Whether it obeys or is ended.
TEST_F(Policy, NoRuleTakesARunThatTookTooLong) {
  policy_.errors = {discard_on<std::runtime_error>()};
  EXPECT_TRUE(decide(thrown(std::runtime_error("no"))));
  EXPECT_EQ(decide(thrown(std::runtime_error("it took too long")), ErrorCode::time_limit), std::nullopt);
}

}  // namespace
}  // namespace tenure::detail
