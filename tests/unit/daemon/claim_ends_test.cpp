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
                        {job.claim, RunResult::failed, std::chrono::microseconds{1}, {code, "it was so"}}, {},
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

TEST(ClaimEnds, WhatAWorkerProgramHasDecidedIsCarriedOut) {
  using queue::Decided;
  using queue::JobReason;
  OutstandingJob job;
  job.failures = 9;
  job.failures_without_rule = 9;
  job.attempts_max = 10;
  Random random{1};
  const WallTime now = from_us(1'700'000'000'000'000);
  const auto end_by = [&](const queue::RunDecision& decision) {
    AttemptEnd attempt{
        job.claim, RunResult::failed, std::chrono::microseconds{1}, {ErrorCode::handler_failed, "it was so"}};
    attempt.decision = decision;
    return end_of_attempt(job, attempt, {}, now, random).end.how;
  };
  const auto retry = std::get<EndRetry>(
      end_by({.what = Decided::retry, .wait = std::chrono::minutes{5}, .rule = "Timeout"}));
  EXPECT_EQ(retry.due, now + std::chrono::minutes{5});
  EXPECT_EQ(retry.rule, "Timeout");
  EXPECT_EQ(retry.reason, JobReason::retry_wait) << "though attempts_max is reached: its rule counts it";
  EXPECT_EQ(
      std::get<EndRetry>(end_by({.what = Decided::retry, .wait = std::chrono::hours{24}, .rule = {}})).reason,
      JobReason::put_off)
      << "or it would be drawn in";
  const auto dead =
      std::get<EndFinal>(end_by({.what = Decided::dead, .reason = JobReason::time_exhausted, .rule = {}}));
  EXPECT_EQ(dead.state, queue::JobState::dead);
  EXPECT_EQ(dead.reason, JobReason::time_exhausted);
  const auto discarded = std::get<EndFinal>(end_by({.what = Decided::discard, .rule = {}}));
  EXPECT_EQ(discarded.state, queue::JobState::discarded);
  EXPECT_EQ(discarded.reason, JobReason::by_rule);
  EXPECT_EQ(
      std::get<EndPutOff>(end_by({.what = Decided::put_off, .wait = std::chrono::hours{1}, .rule = {}})).due,
      now + std::chrono::hours{1});
}

TEST(ClaimEnds, RTY_06_WhatRulesHaveTakenCountsForNobodyElse) {
  OutstandingJob job;
  job.failures = 30;
  job.failures_without_rule = 2;
  job.attempts_max = 4;
  Random random{1};
  const AttemptEnd attempt{
      job.claim, RunResult::failed, std::chrono::microseconds{1}, {ErrorCode::handler_failed, "it was so"}};
  EXPECT_TRUE(std::holds_alternative<EndRetry>(end_of_attempt(job, attempt, {}, WallTime{}, random).end.how));
  job.failures_without_rule = 3;
  EXPECT_TRUE(std::holds_alternative<EndFinal>(end_of_attempt(job, attempt, {}, WallTime{}, random).end.how));
}

TEST(ClaimEnds, LSE_05_TheThirdCrashIsPoisonWhereTheJobWasNamedOrAloneAndIsNeverChargedInCompany) {
  using queue::CrashCharge;
  const auto charge_of = [](int crashes, ProcessEnd end) {
    OutstandingJob job;
    job.crashes = crashes;
    const ClaimEnd ended = end_with_process(job, end, {.place = {}, .cause = "signal 11", .alone = {}});
    return std::get<EndReclaim>(ended.how).charge;
  };
  for (const ProcessEnd end : {ProcessEnd::named, ProcessEnd::alone, ProcessEnd::in_company}) {
    EXPECT_EQ(charge_of(0, end), CrashCharge::counted);
    EXPECT_EQ(charge_of(limits::kCrashesMax - 2, end), CrashCharge::counted);
  }
  for (const int crashes : {limits::kCrashesMax - 1, limits::kCrashesMax, 1000}) {
    EXPECT_EQ(charge_of(crashes, ProcessEnd::named), CrashCharge::poison) << crashes;
    EXPECT_EQ(charge_of(crashes, ProcessEnd::alone), CrashCharge::poison) << crashes;
    EXPECT_EQ(charge_of(crashes, ProcessEnd::in_company), CrashCharge::none) << crashes;
  }
}

TEST(ClaimEnds, ACapsuleIsLostWithTheProcessWhateverEndWasWishedAndOnlyToTheRunThatIsCharged) {
  using queue::CaptureOn;
  Random random{1};
  const auto is_lost = [](ClaimEnd end) {
    note_capsule_lost(end);
    return end.capture->taken.has_value() && end.capture->taken->failure->code == ErrorCode::worker_crashed;
  };
  for (const CaptureOn on : {CaptureOn::failure, CaptureOn::success, CaptureOn::any_end}) {
    OutstandingJob job;
    job.attempts_max = 10;
    job.capture = queue::CaptureWish{queue::CaptureNumber{1}, on};
    const LastRun run{.place = {}, .cause = "signal 11", .alone = {}};
    for (const ProcessEnd end : {ProcessEnd::named, ProcessEnd::alone, ProcessEnd::in_company})
      EXPECT_TRUE(is_lost(end_with_process(job, end, run))) << name_of(on);
    for (const ProcessEnd end :
         {ProcessEnd::by_stop, ProcessEnd::by_trouble, ProcessEnd::by_limit, ProcessEnd::beside_named})
      EXPECT_FALSE(is_lost(end_with_process(job, end, run))) << name_of(on);
    EXPECT_TRUE(is_lost(end_at_time_limit(job, {}, WallTime{}, random))) << name_of(on);
    EXPECT_FALSE(is_lost(give_back_unstarted(job))) << name_of(on);
  }
}

TEST(ClaimEnds, OnlyWhoIsNotNamedIsPerformedAloneNext) {
  const auto is_suspect = [](ProcessEnd end, bool can_be_alone) {
    const LastRun run{
        .place = {}, .cause = "exit 0", .alone = can_be_alone ? std::optional{Alone{}} : std::nullopt};
    return end_with_process({}, end, run).alone.has_value();
  };
  EXPECT_TRUE(is_suspect(ProcessEnd::alone, true));
  EXPECT_TRUE(is_suspect(ProcessEnd::in_company, true));
  EXPECT_FALSE(is_suspect(ProcessEnd::named, true));
  EXPECT_FALSE(is_suspect(ProcessEnd::in_company, false));
}

TEST(ClaimEnds, WhatTheJobHasNotDoneIsNotCharged) {
  OutstandingJob job;
  job.crashes = limits::kCrashesMax - 1;
  for (const ProcessEnd end :
       {ProcessEnd::by_trouble, ProcessEnd::by_stop, ProcessEnd::by_limit, ProcessEnd::beside_named}) {
    const ClaimEnd ended = end_with_process(job, end, {.place = {}, .cause = "exit 74", .alone = Alone{}});
    ASSERT_TRUE(std::holds_alternative<EndRelease>(ended.how));
    EXPECT_TRUE(std::get<EndRelease>(ended.how).started);
    EXPECT_FALSE(ended.alone) << "nor is it a suspect";
  }
}

TEST(ClaimEnds, LSE_25_WhoIsGivenBackIsTriedLaterEachTimeAndWhoHasRunAtOnce) {
  const Alone before{.pool = 3, .vain_tries = 2, .one_at_a_time = true};
  for (const bool started : {false, true})
    EXPECT_EQ(alone_again(before, {{}, EndRelease{started, {}}, {}, {}}).vain_tries, 3);
  const Alone again = alone_again(before, {{}, EndReclaim{queue::CrashCharge::counted, {}}, {}, {}});
  EXPECT_EQ(again.vain_tries, 0);
  EXPECT_EQ(again.pool, 3U);
  EXPECT_TRUE(again.one_at_a_time);
}

// Its process may have ended behind the capsule and before it told of it.
TEST(ClaimEnds, OfACapsuleThatNobodyToldOfItIsSaidWhereItWouldBe) {
  OutstandingJob job;
  job.attempts_max = 10;
  job.id = {*Uuid::parse("01890a5d-ac96-774b-bcce-b302099a8057")};
  job.claim.token = {queue::Incarnation{7}, 12};
  job.capture = queue::CaptureWish{queue::CaptureNumber{1}, queue::CaptureOn::failure};
  ClaimEnd end = end_with_process(job, ProcessEnd::alone, {.place = {}, .cause = "signal 11", .alone = {}});
  note_capsule_lost(end);
  ASSERT_TRUE(end.capture->taken);
  EXPECT_EQ(end.capture->taken->failure->message,
            "The worker process ended with the run and told of no capsule; where it had written one, it is "
            "01890a5d-ac96-774b-bcce-b302099a8057.7.12.capsule in the folder of capsules.");
}

}  // namespace
}  // namespace tenure::daemon
