#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <unistd.h>

// Who holds a control database is told by the kernel's lock alone: by no number of a process, no name of a machine, no text of a file.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

class HolderTest : public Installation {
 protected:
  // A job that ran when its daemon was killed.
  queue::JobId leave_a_claim() {
    configure({.slots = 1});
    const auto daemon = start_daemon();
    const auto job = enqueue(Wait{"work"});
    static_cast<void>(wait_for_start_of("work"));
    daemon->signal(SIGKILL);
    EXPECT_EQ(daemon->wait(), "signal 9");
    return job;
  }
  void expect_done_by_the_next(queue::JobId job) {
    const auto daemon = start_daemon();
    static_cast<void>(wait_for_start_of("work"));
    let_go("work");
    expect_state(job, ShownState::succeeded);
    EXPECT_EQ(runs_of("work"), 1);
    EXPECT_EQ(record(job).crashes, 0);
  }
};

TEST_F(HolderTest, LSE_14_ThePidOfADeadOneThatAnotherProcessHasNowHoldsNothing) {
  const auto job = leave_a_claim();
  sqlite::Connection(control(), {})
      .execute({"reuse", "update holder set pid = " + std::to_string(::getpid())});
  std::ofstream(queue::dispatcher_lock_path(control()), std::ios::app) << ::getpid() << '\n';
  expect_done_by_the_next(job);
}

TEST_F(HolderTest, LSE_14_ADeadOneOfAnotherBootHoldsNothing) {
  const auto job = leave_a_claim();
  std::ofstream(queue::dispatcher_lock_path(control())) << "at-work 00000000-0000-0000-0000-000000000000\n";
  expect_done_by_the_next(job);
}

// The same pid, 1, and the same node in both, of which neither sees a process of the other.
class ContainerTest : public HolderTest {
 protected:
  std::unique_ptr<Process> start_in_a_container(const char* log) {
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/unshare", "--uts", "--pid", "--mount", "--fork",
                                 "--kill-child=KILL", "--mount-proc", TENURED, "--config", config_file()},
        folder_ / log);
  }
  static bool are_allowed() {
    const TemporaryFolder folder;
    Process process({"/usr/bin/unshare", "--uts", "--pid", "--mount", "--fork", "--mount-proc", "/bin/true"},
                    folder / "log");
    return process.wait() == "exit 0";
  }
  static bool says(const Process& daemon, const char* event) {
    return wait_until([&] { return daemon.output().find(event) != std::string::npos; });
  }
};

TEST_F(ContainerTest, LSE_14_EqualNodesInTwoContainersAreTwoHolders) {
  if (!are_allowed()) GTEST_SKIP() << "not run here: no new namespaces allowed";
  configure({.slots = 1});
  const auto first = start_in_a_container("first.log");
  const auto job = enqueue(Wait{"work"});
  static_cast<void>(wait_for_start_of("work"));
  const auto second = start_in_a_container("second.log");
  ASSERT_TRUE(says(*second, "daemon.standing_by")) << second->output();
  EXPECT_EQ(second->output().find("daemon.started"), std::string::npos) << second->output();
  EXPECT_EQ(record(job).state, ShownState::running);

  first->signal(SIGKILL);  // and with it all that runs in its container
  ASSERT_TRUE(says(*second, "daemon.started")) << second->output();
  static_cast<void>(wait_for_start_of("work"));
  let_go("work");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1);
}

}  // namespace
}  // namespace tenure::testing
