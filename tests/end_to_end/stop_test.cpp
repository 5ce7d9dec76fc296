#include "installation.hpp"

#include <csignal>
#include <support/unread_pipe.hpp>

namespace tenure::testing {
namespace {

using queue::ShownState;

using Stop = Installation;

TEST_F(Stop, STP_01_AnIdleDaemonEndsAtOnceWithZero) {
  configure();
  const auto daemon = start_daemon();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

TEST_F(Stop, STP_01_RunningJobsEndAndNothingNewStarts) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto running = enqueue(Wait{"running"});
  static_cast<void>(wait_for_start_of("running"));
  const auto waiting = enqueue(Count{"waiting"});
  daemon->signal(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("daemon.stopping") != std::string::npos; }));
  EXPECT_NE(daemon->output().find("when running jobs have ended: 1 job runs, and may until 20"),
            std::string::npos)
      << daemon->output();
  let_go("running");
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(running).state, ShownState::succeeded);
  EXPECT_EQ(record(waiting).state, ShownState::ready);
  EXPECT_EQ(record(waiting).failures, 0);
  EXPECT_EQ(runs_of("waiting"), 0);
}

TEST_F(Stop, STP_02_AJobLongerThanTheDeadlineIsEndedAndReleasedUncharged) {
  configure({.stop_deadline = "1s"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"endless"});
  static_cast<void>(wait_for_start_of("endless"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(job).state, ShownState::ready);
  EXPECT_EQ(record(job).failures, 0);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(record(job).releases, 1);
}

TEST_F(Stop, STP_02_AJobThatObeysItsStopTokenEndsBeforeTheDeadline) {
  configure({.stop_deadline = "2s"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{.name = "obedient", .obeys_stop = true});
  static_cast<void>(wait_for_start_of("obedient"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(job).state, ShownState::ready);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(record(job).failures, 0);
}

TEST_F(Stop, STP_06_QuitReleasesAllAndLeavesAtOnce) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"endless"});
  static_cast<void>(wait_for_start_of("endless"));
  daemon->signal(SIGQUIT);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(job).state, ShownState::ready);
  EXPECT_EQ(record(job).releases, 1);
}

TEST_F(Stop, STP_06_ASecondTermChangesNothing) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"running"});
  static_cast<void>(wait_for_start_of("running"));
  daemon->signal(SIGTERM);
  daemon->signal(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("daemon.stopping") != std::string::npos; }));
  let_go("running");
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(job).state, ShownState::succeeded);
}

TEST_F(Stop, ALogThatNobodyReadsStopsNeitherJobsNorTheEnd) {
  configure();
  const UnreadPipe log(folder_ / "log");
  Process daemon({TENURED, "--config", config_file()}, log.path());
  for (int i = 0; i < 4; ++i) expect_state(enqueue(Throw{}), ShownState::dead);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
