#include "store_suite.hpp"

#include <array>

// Failures are counted by the rule that has taken them, and a run that is put off costs none.
namespace tenure::testing {
namespace {

class FailureCountSuite : public StoreSuite {
 protected:
  const AttemptFailure failure_{ErrorCode::handler_failed, "no"};

  // Fails by that rule, and is claimed again.
  ClaimedJob failed(const ClaimedJob& job, std::string_view rule, JobReason reason = JobReason::retry_wait) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.retry(
          ref(job), {.due = now_ + seconds{1}, .reason = reason, .rule = std::string{rule}}, failure_, now_));
    });
    return claimed_again();
  }
  ClaimedJob claimed_again() {
    advance(seconds{1});
    EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 1U);
    return claim_one();
  }
};

TEST_P(FailureCountSuite, AClaimTellsHowOftenEachRuleHasTakenAFailureAndWhenTheFirstWas) {
  put();
  ClaimedJob job = claim_one();
  EXPECT_EQ(job.history, FailureHistory{});
  const WallTime first = now_;
  job = failed(job, "");
  EXPECT_EQ(job.history, (FailureHistory{{}, first}));
  job = failed(job, "Timeout");
  job = failed(job, "Busy", JobReason::put_off);
  job = failed(job, "Timeout");
  EXPECT_EQ(job.history, (FailureHistory{{{"Busy", 1}, {"Timeout", 2}}, first}));
  EXPECT_EQ(job.failures, 4);
  EXPECT_EQ(failures_without_rule(job.history, job.failures), 1);
}

TEST_P(FailureCountSuite, AnOperatorsRetryBeginsAnew) {
  const Enqueued job = put();
  ClaimedJob claimed = failed(claim_one(), "Timeout");
  write([&](StoreWriter& writer) {
    value_or_raise(
        writer.finish(ref(claimed), JobState::dead, JobReason::attempts_exhausted, failure_, now_));
    value_or_raise(writer.retry_by_operator(job.id, now_));
  });
  claimed = claim_one();
  EXPECT_EQ(claimed.history, FailureHistory{});
  claimed = failed(claimed, "Busy");
  EXPECT_EQ(claimed.history, (FailureHistory{{{"Busy", 1}}, now_ - seconds{1}}));
}

TEST_P(FailureCountSuite, RTY_08_ReleasesAndCrashesCountByNoRule) {
  put();
  ClaimedJob job = failed(claim_one(), "Timeout");
  const FailureHistory before = job.history;
  write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(job), true, failure_, now_)); });
  job = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.reclaim(ref(job), CrashCharge::counted, failure_, now_));
  });
  job = claim_one();
  EXPECT_EQ(job.history, before);
}

TEST_P(FailureCountSuite, AJobThatIsPutOffIsScheduledAndChargedNothing) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  const WallTime due = now_ + hours{24 * 30};
  write([&](StoreWriter& writer) {
    value_or_raise(writer.put_off(ref(claimed), due, {ErrorCode::handler_failed, "later"}, now_));
  });
  const JobRecord shown = record(job.id);
  EXPECT_EQ(shown.state, ShownState::scheduled);
  EXPECT_EQ(shown.reason, JobReason::put_off);
  EXPECT_EQ(shown.due, due);
  EXPECT_EQ(shown.failures, 0);
  EXPECT_EQ(shown.releases, 1);
  ASSERT_EQ(attempts(job.seq).size(), 1U);
  EXPECT_EQ(attempts(job.seq)[0].outcome, AttemptOutcome::released);
  EXPECT_EQ(attempts(job.seq)[0].error, "later");
  // It is meant so, and no clock's mistake.
  const DrawnIn drawn = written([&](StoreWriter& writer) {
    return writer.draw_in_retries(
        {now_, JobSeq{0}}, 10, [](int) { return seconds{1}; }, now_);
  });
  EXPECT_TRUE(drawn.due.empty());
  write([&](StoreWriter& writer) {
    EXPECT_EQ(code_of(writer.put_off(ref(claimed), due, {}, now_)), ErrorCode::claim_lost);
    EXPECT_EQ(code_of(writer.retry(ref(claimed), {.due = due, .rule = "x"}, failure_, now_)),
              ErrorCode::claim_lost);
  });
  now_ = due;
  EXPECT_EQ(written([&](StoreWriter& writer) { return writer.promote(now_, 10); }).size(), 1U);
  EXPECT_EQ(claim_one().history, FailureHistory{});
}

TEST_P(FailureCountSuite, AnOperatorDiscardsWhatIsPutOff) {
  const Enqueued job = put();
  const ClaimedJob claimed = claim_one();
  write([&](StoreWriter& writer) {
    value_or_raise(writer.put_off(ref(claimed), now_ + hours{1}, {}, now_));
    value_or_raise(writer.discard_by_operator(job.id, now_));
  });
  EXPECT_EQ(record(job.id).state, ShownState::discarded);
}

TEST_P(FailureCountSuite, WhatIsUndoneIsNotCounted) {
  put();
  const ClaimedJob job = failed(claim_one(), "Timeout");
  EXPECT_THROW(write([&](StoreWriter& writer) {
                 value_or_raise(writer.retry(ref(job), {.due = now_, .rule = "Timeout"}, failure_, now_));
                 throw Abandoned{};
               }),
               Abandoned);
  EXPECT_EQ(failed(job, "Busy").history.by_rule, (std::vector<RuleCount>{{"Busy", 1}, {"Timeout", 1}}));
}

INSTANTIATE_TEST_SUITE_P(EachStore, FailureCountSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace tenure::testing
