#include "claim_ends.hpp"

#include <tenure/base/limits.hpp>

#include <gtest/gtest.h>

namespace tenure::daemon {
namespace {

TenantPause pause_after(ErrorCode code, TenantNumber tenant) {
  OutstandingJob job;
  job.lane.tenant = tenant;
  job.attempts_max = 10;
  Random random{1};
  return end_of_attempt(job,
                        {job.claim, RunResult::failed, std::chrono::microseconds{1}, {code, "it was so"}},
                        WallTime{}, random)
      .pause;
}

TEST(ClaimEnds, RTY_04_OnlyATenantThatIsNotReadyIsLeftAloneLongerEachTime) {
  using Pause = TenantPause;
  constexpr TenantNumber kTenant{5};
  for (const ErrorCode code : {ErrorCode::tenant_not_ready, ErrorCode::pending_migration}) {
    EXPECT_EQ(pause_after(code, kTenant), Pause::growing) << name_of(code);
    EXPECT_EQ(pause_after(code, queue::kUntenanted), Pause::flat) << name_of(code);
  }
  for (const ErrorCode code : {ErrorCode::tenant_busy, ErrorCode::tenant_unavailable, ErrorCode::disk}) {
    EXPECT_EQ(pause_after(code, kTenant), Pause::trouble) << name_of(code);
    EXPECT_EQ(pause_after(code, queue::kUntenanted), Pause::flat) << name_of(code);
  }
  for (const ErrorCode code : {ErrorCode::handle_budget_exhausted, ErrorCode::store_busy})
    EXPECT_EQ(pause_after(code, kTenant), Pause::flat) << name_of(code);
  EXPECT_EQ(pause_after(ErrorCode::handler_failed, kTenant), Pause::none);
}

TEST(ClaimEnds, LSE_05_TheThirdCrashIsPoisonWhereTheJobWasAloneAndIsNeverChargedInCompany) {
  using queue::CrashCharge;
  const auto charge_of = [](int crashes, ProcessEnd end) {
    OutstandingJob job;
    job.crashes = crashes;
    return std::get<EndReclaim>(end_with_process(job, end, "signal 11").how).charge;
  };
  for (const ProcessEnd end : {ProcessEnd::alone, ProcessEnd::in_company}) {
    EXPECT_EQ(charge_of(0, end), CrashCharge::counted);
    EXPECT_EQ(charge_of(limits::kCrashesMax - 2, end), CrashCharge::counted);
  }
  for (const int crashes : {limits::kCrashesMax - 1, limits::kCrashesMax, 1000}) {
    EXPECT_EQ(charge_of(crashes, ProcessEnd::alone), CrashCharge::poison) << crashes;
    EXPECT_EQ(charge_of(crashes, ProcessEnd::in_company), CrashCharge::none) << crashes;
  }
}

TEST(ClaimEnds, AProcessThatLeftInTroubleChargesNobody) {
  OutstandingJob job;
  job.crashes = limits::kCrashesMax - 1;
  for (const ProcessEnd end : {ProcessEnd::by_trouble, ProcessEnd::by_stop}) {
    const ClaimEnd ended = end_with_process(job, end, "exit 74");
    ASSERT_TRUE(std::holds_alternative<EndRelease>(ended.how));
    EXPECT_TRUE(std::get<EndRelease>(ended.how).started);
  }
}

}  // namespace
}  // namespace tenure::daemon
