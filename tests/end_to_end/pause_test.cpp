#include "installation.hpp"

#include <csignal>
#include <string>

// Queues, kinds and tenants that an operator pauses while tenured dispatches.
namespace tenure::testing {
namespace {

using queue::JobId;
using queue::ShownState;

class PauseTest : public Installation {
 protected:
  void stop(Process& daemon) {
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(), "exit 0") << daemon.output();
  }
};

TEST_F(PauseTest, CLM_12_NothingStartsUntilItIsResumedAlsoBehindARestartAndWhatRunsEnds) {
  configure();
  auto daemon = start_daemon();
  const JobId runs = enqueue(Wait{.name = "runs"});
  static_cast<void>(wait_for_start_of("runs"));
  ASSERT_EQ(tenure({"queue", "pause", "default", "--reason", "disk is full"}), "exit 0") << output_;
  const JobId waits = enqueue(Count{"waits"});
  let_go("runs");
  expect_state(runs, ShownState::succeeded);
  // A job of another queue would start now; there is a free slot, and nothing of this one takes it.
  EXPECT_EQ(tenure({"why", waits.text()}), "exit 0");
  EXPECT_NE(output_.find("queue_paused"), std::string::npos) << output_;
  EXPECT_NE(output_.find("disk is full"), std::string::npos) << output_;
  EXPECT_EQ(record(waits).state, ShownState::held);
  stop(*daemon);
  daemon = start_daemon();
  EXPECT_EQ(record(waits).state, ShownState::held);
  EXPECT_EQ(tenure({"queue", "resume", "default"}), "exit 0") << output_;
  expect_state(waits, ShownState::succeeded);

  ASSERT_EQ(tenure({"kind", "pause", "test.count", "--until", "2s"}), "exit 0") << output_;
  const JobId timed = enqueue(Count{"timed"});
  const JobId other = enqueue(Print{.text = "beside"});
  expect_state(other, ShownState::succeeded);
  EXPECT_EQ(record(timed).state, ShownState::held);
  expect_state(timed, ShownState::succeeded);  // by itself
  EXPECT_EQ(tenure({"kind", "list"}), "exit 0");
  EXPECT_EQ(output_.find("until"), std::string::npos) << output_;
  stop(*daemon);
}

TEST_F(PauseTest, REG_11_NothingOfAPausedTenantStartsAlsoBehindARestartAndAResumeStartsItAtOnce) {
  configure();
  auto daemon = start_daemon();
  const JobId runs = enqueue(Wait{.name = "runs"});
  static_cast<void>(wait_for_start_of("runs"));
  ASSERT_EQ(tenure({"tenant", "pause", "acme", "--reason", "restore test"}), "exit 0") << output_;
  const JobId waits = enqueue(Count{"waits"});
  let_go("runs");
  expect_state(runs, ShownState::succeeded);
  // The slot that has become free takes the untenanted job, and none of this tenant's that waits before it.
  const JobId beside{client().enqueue(Print{.text = "beside"}, {.untenanted = true})};
  expect_state(beside, ShownState::succeeded);
  EXPECT_EQ(record(waits).state, ShownState::held);
  EXPECT_EQ(tenure({"why", waits.text()}), "exit 0");
  EXPECT_NE(output_.find("tenant_paused"), std::string::npos) << output_;
  EXPECT_NE(output_.find("restore test"), std::string::npos) << output_;
  stop(*daemon);
  daemon = start_daemon();
  EXPECT_EQ(tenure({"tenant", "show", "acme"}), "exit 0");
  EXPECT_NE(output_.find("restore test"), std::string::npos) << output_;
  EXPECT_EQ(record(waits).state, ShownState::held);
  EXPECT_EQ(tenure({"tenant", "resume", "acme"}), "exit 0") << output_;
  expect_state(waits, ShownState::succeeded);
  stop(*daemon);
}

}  // namespace
}  // namespace tenure::testing
