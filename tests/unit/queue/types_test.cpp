#include <tenure/base/limits.hpp>
#include <tenure/queue/records.hpp>
#include <tenure/queue/transitions.hpp>

#include <gtest/gtest.h>

namespace tenure::queue {
namespace {

TEST(Types, EveryStateAndReasonIsFoundByItsName) {
  for (int state = 1; state <= 7; ++state)
    EXPECT_EQ(job_state_named(name_of(static_cast<JobState>(state))), static_cast<JobState>(state));
  for (int reason = 0; reason <= 9; ++reason)
    EXPECT_EQ(job_reason_named(name_of(static_cast<JobReason>(reason))), static_cast<JobReason>(reason));
  for (const ShownState state : {ShownState::running, ShownState::held, ShownState::dead})
    EXPECT_EQ(shown_state_named(name_of(state)), state);
  EXPECT_FALSE(job_state_named("running"));
  EXPECT_FALSE(job_state_named("Ready"));
  EXPECT_FALSE(job_reason_named(""));
}

TEST(Types, FinalStatesAreThoseFromSucceededOn) {
  EXPECT_FALSE(is_final(JobState::blocked));
  EXPECT_TRUE(is_final(JobState::succeeded));
  EXPECT_TRUE(is_final(JobState::cancelled));
}

TEST(Transitions, NothingLeavesSucceeded) {
  for (const TransitionRow& row : transitions()) EXPECT_NE(row.from, JobState::succeeded);
}

TEST(Transitions, OnlyReadyJobsHaveClaims) {
  for (const TransitionRow& row : transitions())
    EXPECT_TRUE(!row.needs_claim || row.from == JobState::ready) << name_of(row.transition);
}

}  // namespace
}  // namespace tenure::queue
