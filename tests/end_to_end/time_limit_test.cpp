#include "installation.hpp"

#include <chrono>

namespace tenure::testing {
namespace {

using queue::ShownState;

class TimeLimitTest : public Installation {};

TEST_F(TimeLimitTest, RUN_07_RUN_08_AJobPastItsLimitIsTimedOutItsNeighbourRunsAgainAndTheSlotIsUsedAgain) {
  configure({.slots = 2});  // the neighbour has no limit that it could be past when the process ends
  const auto daemon = start_daemon();
  const auto late = enqueue(SpinTooLong{"late"});
  const pid_t process = wait_for_start_of("late");
  const auto neighbour = enqueue(Wait{"neighbour"});
  EXPECT_EQ(wait_for_start_of("neighbour"), process);
  expect_state(late, ShownState::dead);
  EXPECT_EQ(attempts(late).at(0).error_code, ErrorCode::time_limit) << record(late).error;
  EXPECT_FALSE(is_alive(process));
  EXPECT_NE(wait_for_start_of("neighbour"), process);
  let_go("neighbour");
  expect_state(neighbour, ShownState::succeeded);
  EXPECT_EQ(record(neighbour).failures + record(neighbour).crashes, 0);
  EXPECT_NE(daemon->output().find("worker.time_limit"), std::string::npos);
}

TEST_F(TimeLimitTest, RUN_07_AHandlerSeesItsTimeRunOutAndTheTokenBeforeTheEnd) {
  configure({.slots = 1, .time_limit = "2s"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"obeys", true}, {.attempts_max = 1});
  const pid_t process = wait_for_start_of("obeys");
  expect_state(job, ShownState::dead);
  EXPECT_EQ(attempts(job).at(0).error_code, ErrorCode::time_limit) << record(job).error;
  EXPECT_TRUE(is_alive(process)) << "it obeyed, so nobody is ended";
}

TEST_F(TimeLimitTest, RUN_18_EndlessSqlEndsAtTheJobsTimeLimit) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(EndlessQuery{"endless"});
  static_cast<void>(wait_for_start_of("endless"));
  expect_state(job, ShownState::dead);
  EXPECT_EQ(attempts(job).at(0).error_code, ErrorCode::time_limit) << record(job).error;
  expect_state(enqueue(Count{"after"}), ShownState::succeeded);
}

}  // namespace
}  // namespace tenure::testing
