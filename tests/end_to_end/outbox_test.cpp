#include "installation.hpp"

#include <csignal>
#include <string>
#include <vector>

namespace tenure::testing {
namespace {

using queue::JobReader;
using queue::ShownState;

class OutboxTest : public Installation {
 protected:
  // An application commits so many jobs in a transaction of acme, and is killed before it has brought them.
  void leave_rows(int count) {
    Process application({OUTBOX_WRITER, config_file().string(), std::to_string(count)},
                        folder_ / "application");
    ASSERT_EQ(application.wait(), "signal 9") << application.output();
    ASSERT_EQ(jobs().size(), 0U);
  }
  std::vector<queue::JobRecord> jobs() {
    std::vector<queue::JobRecord> jobs;
    store().read([&](JobReader& reader) {
      jobs = reader.list_jobs({}, {.order = queue::ListOrder::oldest_first}, {}).jobs;
    });
    return jobs;
  }
};

TEST_F(OutboxTest, OBX_02_AfterAKillBetweenCommitAndRelayTheJobsAreThereOnceWithNoWorkerUp) {
  configure({.program = "/bin/false"});
  leave_rows(2);
  auto daemon = start_daemon();
  EXPECT_TRUE(wait_until([&] { return jobs().size() == 2; }, std::chrono::seconds{2})) << daemon->output();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");

  configure();
  daemon = start_daemon();
  for (const queue::JobRecord& job : jobs()) expect_state(job.id, ShownState::succeeded);
  EXPECT_EQ(jobs().size(), 2U);
  EXPECT_EQ(runs_of("left-0"), 1);
  EXPECT_EQ(runs_of("left-1"), 1);
}

TEST_F(OutboxTest, WhatAnApplicationLeavesWhileTheDaemonRunsIsPerformed) {
  configure();
  const auto daemon = start_daemon();
  leave_rows(1);
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") == 1; })) << daemon->output();
}

TEST_F(OutboxTest, AWorkerProgramByHandSweepsToo) {
  configure();
  leave_rows(1);
  const auto alone = start_alone();
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") == 1; })) << alone->output();
}

}  // namespace
}  // namespace tenure::testing
