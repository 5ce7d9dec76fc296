#include <tenure/queue/retry_rule.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace tenure::queue {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(RetryWait, RTY_01_IsTheFourthPowerPlusFifteenSecondsAndJitter) {
  Random random{1};
  for (const int n : {1, 2, 3, 5, 9, 11}) {
    const seconds base{n * n * n * n + 15};
    microseconds least = kRetryWaitMax;
    microseconds greatest{0};
    for (int i = 0; i < 2'000; ++i) {
      const microseconds wait = retry_wait(n, random);
      least = std::min(least, wait);
      greatest = std::max(greatest, wait);
    }
    EXPECT_GE(least, base) << n;
    EXPECT_LE(greatest, base + seconds{30 * n}) << n;
    EXPECT_LT(least, base + seconds{n}) << "the whole width of the jitter is used";
    EXPECT_GT(greatest, base + seconds{29 * n}) << n;
  }
}

TEST(RetryWait, RTY_01_NeverExceedsSixHours) {
  Random random{1};
  EXPECT_LT(retry_wait(11, random), kRetryWaitMax);
  for (const int n : {12, 13, 100, 1'000, 2'000'000'000})
    for (int i = 0; i < 100; ++i) EXPECT_LE(retry_wait(n, random), kRetryWaitMax) << n;
}

// Also where the formula alone would be above the cap for all of them.
TEST(RetryWait, RTY_13_TenThousandJobsThatFailTogetherDoNotRetryInOnePeak) {
  constexpr int kJobs = 10'000;
  constexpr int kInOneSecondMax = kJobs / 20;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const int n : {1, 2, 3, 7, 11, 12, 13, 14, 50, 999}) {
      Random random{seed};
      std::map<std::int64_t, int> in_second;
      for (int job = 0; job < kJobs; ++job)
        ++in_second[std::chrono::floor<seconds>(retry_wait(n, random)).count()];
      for (const auto& [second, jobs] : in_second)
        ASSERT_LE(jobs, kInOneSecondMax)
            << "in second " << second << " behind failure " << n << ", seed " << seed;
    }
  }
}

TEST(RetryWait, AtTheCapTheJitterIsBeforeIt) {
  Random random{1};
  for (int i = 0; i < 2'000; ++i) {
    EXPECT_GE(retry_wait(13, random), kRetryWaitMax - seconds{30 * 13});
    EXPECT_GE(retry_wait(1'000, random), kRetryWaitMax - std::chrono::hours{1});
  }
}

TEST(RetryWait, TheLongestIsThatOfTheWholeJitterAndAtMostSixHours) {
  EXPECT_EQ(retry_wait_max(0), seconds{1 + 15 + 30});
  EXPECT_EQ(retry_wait_max(1), seconds{1 + 15 + 30});
  EXPECT_EQ(retry_wait_max(11), seconds{14'641 + 15 + 330});
  for (const int n : {12, 13, 2'000'000'000}) EXPECT_LE(retry_wait_max(n), kRetryWaitMax) << n;
  EXPECT_EQ(retry_wait_max(2'000'000'000), kRetryWaitMax);
}

TEST(BorderRefusal, IsWhatWasMetInTheWrongTenantAndNeverCostsARetry) {
  for (const ErrorCode code :
       {ErrorCode::no_tenant, ErrorCode::wrong_tenant, ErrorCode::stale_generation,
        ErrorCode::tenant_swap_prohibited, ErrorCode::bad_global_id, ErrorCode::envelope_mismatch,
        ErrorCode::bad_seal, ErrorCode::access_refused}) {
    EXPECT_TRUE(is_border_refusal(code)) << name_of(code);
    EXPECT_EQ(after_failure(code, {.failures = 1, .attempts_max = 10, .releases = 0}).verdict,
              AfterFailure::Verdict::dead)
        << name_of(code);
  }
  for (const ErrorCode code : {ErrorCode::handler_failed, ErrorCode::bad_payload, ErrorCode::tenant_not_ready,
                               ErrorCode::tenant_unavailable, ErrorCode::query_failed})
    EXPECT_FALSE(is_border_refusal(code)) << name_of(code);
}

TEST(RetryWait, OfNoFailureIsThatOfTheFirst) {
  Random a{3};
  Random b{3};
  EXPECT_EQ(retry_wait(0, a), retry_wait(1, b));
}

TEST(AfterFailure, RTY_01_AttemptsAreUsedUpThenTheJobIsDead) {
  using Verdict = AfterFailure::Verdict;
  EXPECT_EQ(after_failure(ErrorCode::handler_failed, {9, 10}).verdict, Verdict::retry);
  EXPECT_EQ(after_failure(ErrorCode::handler_failed, {10, 10}).verdict, Verdict::dead);
  EXPECT_EQ(after_failure(ErrorCode::handler_failed, {10, 10}).reason, JobReason::attempts_exhausted);
  EXPECT_EQ(after_failure(ErrorCode::handler_failed, {11, 10}).verdict, Verdict::dead);
  EXPECT_EQ(after_failure(ErrorCode::handler_failed, {1, 1}).verdict, Verdict::dead)
      << "one attempt never retries";
  EXPECT_EQ(after_failure(ErrorCode::time_limit, {1, 2}).verdict, Verdict::retry);
}

TEST(AfterFailure, RTY_03_PermanentTenantErrorsAreFinalAtOnce) {
  for (const ErrorCode code :
       {ErrorCode::tenant_deleted, ErrorCode::stale_generation, ErrorCode::wrong_tenant,
        ErrorCode::missing_tenant, ErrorCode::tenant_does_not_exist, ErrorCode::bad_tenant_name,
        ErrorCode::bad_payload}) {
    EXPECT_EQ(after_failure(code, {1, 10}).verdict, AfterFailure::Verdict::dead) << name_of(code);
    EXPECT_EQ(after_failure(code, {1, 10}).reason, JobReason::permanent_error) << name_of(code);
  }
}

TEST(AfterFailure, RTY_04_TransientTenantErrorsCostNoAttempt) {
  for (const ErrorCode code :
       {ErrorCode::tenant_busy, ErrorCode::tenant_not_ready, ErrorCode::pending_migration,
        ErrorCode::handle_budget_exhausted, ErrorCode::unknown_kind})
    EXPECT_EQ(after_failure(code, {10, 10}).verdict, AfterFailure::Verdict::release) << name_of(code);
}

// However often it is met: what nobody can do anything about in the job says nothing of the job.
TEST(AfterFailure, TroubleOfTheWorldIsNeverTheJobsFailure) {
  for (const ErrorCode code : {ErrorCode::tenant_unavailable, ErrorCode::disk, ErrorCode::disk_sync_failed,
                               ErrorCode::database_missing, ErrorCode::database_moved,
                               ErrorCode::database_damaged, ErrorCode::bad_configuration}) {
    EXPECT_TRUE(is_trouble(code)) << name_of(code);
    EXPECT_EQ(after_failure(code, {10, 10}).verdict, AfterFailure::Verdict::release) << name_of(code);
  }
  for (const ErrorCode code : {ErrorCode::handler_failed, ErrorCode::wrong_tenant, ErrorCode::query_failed})
    EXPECT_FALSE(is_trouble(code)) << name_of(code);
}

TEST(AfterFailure, ABusyStoreIsMetAtNoCostEightTimesAndThenIsAFailure) {
  const auto verdict = [](int releases) {
    return after_failure(ErrorCode::store_busy, {.failures = 1, .attempts_max = 10, .releases = releases})
        .verdict;
  };
  EXPECT_EQ(verdict(kStoreBusyFreeMax - 1), AfterFailure::Verdict::release);
  EXPECT_EQ(verdict(kStoreBusyFreeMax), AfterFailure::Verdict::retry);
}

// A tenant that a deploy has not migrated yet lacks the column, and gets it.
TEST(AfterFailure, SqlThatFailsIsRetried) {
  for (const ErrorCode code : {ErrorCode::query_failed, ErrorCode::constraint_violated})
    EXPECT_EQ(after_failure(code, {1, 10}).verdict, AfterFailure::Verdict::retry) << name_of(code);
}

// The rows of a page's tables by their first column.
std::map<std::string, std::string> rows_of_the_manual(const char* page) {
  std::ifstream file(std::filesystem::path(TENURE_MANUAL_FOLDER) / page);
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("| ")) rows.emplace(line.substr(2, line.find(" |", 2) - 2), line);
  return rows;
}

// How the manual calls what becomes of a job: a cell of errors.md, and how a row of writing-jobs.md begins.
struct Fate {
  std::string_view cell;
  std::string_view row;
};

Fate fate_by(ErrorCode code) {
  if (code == ErrorCode::worker_crashed) return {"crash", ""};
  if (code == ErrorCode::newer_envelope) return {"blocked", "**blocked** until a worker process says hello"};
  if (code == ErrorCode::store_busy)
    return {"free, eight times; then retried", "**runs again at no cost**, its tenant's jobs wait"};
  switch (after_failure(code, {1, 10}).verdict) {
    case AfterFailure::Verdict::retry:
      return {"retried", "**retried** until `attempts_max` failures, then dead, reason `attempts_exhausted`"};
    case AfterFailure::Verdict::dead:
      return {"dead", "**dead at once**, reason `permanent_error`"};
    case AfterFailure::Verdict::release:
      return {"free", "**runs again at no cost**, its tenant's jobs wait"};
  }
  return {};
}

TEST(AfterFailure, IsWhatTheManualSaysOfEachError) {
  using ::testing::HasSubstr;
  const auto errors = rows_of_the_manual("errors.md");
  auto fates = rows_of_the_manual("writing-jobs.md");
  for (int number = 1; number <= static_cast<int>(ErrorCode::internal); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    if (name_of(code) == name_of(ErrorCode::internal) && code != ErrorCode::internal) continue;
    const std::string name = "`" + std::string(name_of(code)) + "`";
    const auto [cell, row] = fate_by(code);
    ASSERT_TRUE(errors.contains(name)) << name;
    EXPECT_THAT(errors.at(name), HasSubstr("t | " + std::string(cell) + " |"));
    if (!row.empty()) {
      EXPECT_THAT(fates[std::string(row)], HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace tenure::queue
