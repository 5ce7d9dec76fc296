#include "installation.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

namespace tenure::testing {
namespace {

using queue::ShownState;

using Start = Installation;

TEST_F(Start, PerformsAJobOfAnotherProcessInItsTenant) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"one"});
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("one"), 1);
}

TEST_F(Start, ENQ_05_JobsEnqueuedWithTheDaemonDownStartWhenItComes) {
  configure();
  const auto job = enqueue(Count{"early"});
  const auto daemon = start_daemon();
  expect_state(job, ShownState::succeeded);
}

TEST_F(Start, ENQ_12_ALostWakeHintOnlyDelays) {
  configure();
  const auto daemon = start_daemon();
  // Without the socket's file no hint can arrive; the dispatcher's own look finds the job.
  ASSERT_TRUE(std::filesystem::remove(control().string() + "-wake"));
  expect_state(enqueue(Count{"unhinted"}), ShownState::succeeded);
}

TEST_F(Start, AFailureIsRecordedWithItsError) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Throw{});
  expect_state(job, ShownState::dead);
  ASSERT_EQ(attempts(job).size(), 1U);
  EXPECT_EQ(attempts(job)[0].outcome, queue::AttemptOutcome::failed);
  EXPECT_NE(attempts(job)[0].error.find("as asked"), std::string::npos);
}

TEST_F(Start, LSE_13_ASecondDaemonExitsNamingTheHolder) {
  configure({.when_held = "exit"});
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  EXPECT_EQ(second->wait(), "exit 75");
  EXPECT_NE(second->output().find("pid " + std::to_string(first->pid())), std::string::npos)
      << second->output();
}

TEST_F(Start, LSE_13_ASecondDaemonStandsByAndTakesOver) {
  configure();
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  ASSERT_TRUE(wait_until([&] { return second->output().find("daemon.standing_by") != std::string::npos; }));
  first->signal(SIGKILL);
  ASSERT_EQ(first->wait(), "signal 9");
  expect_state(enqueue(Count{"after"}), ShownState::succeeded);
}

TEST_F(Start, RUN_15_AMissingWorkerProgramIsNamedAndTriedAgain) {
  configure({.program = folder_ / "worker"});
  const auto daemon = start_daemon();
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("cannot start") != std::string::npos; }))
      << daemon->output();
  const auto job = enqueue(Count{"late"});
  std::filesystem::create_symlink(WORKER_PROGRAM, folder_ / "worker");
  expect_state(job, ShownState::succeeded);
}

TEST_F(Start, HND_16_WorkersInheritTheLockAndTheSocketOnly) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"held"});
  const pid_t worker = wait_for_start_of("held");
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(worker) + "/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    EXPECT_FALSE(target == control() || target == control().string() + "-wal" ||
                 target == control().string() + "-shm")
        << target;
    if (target != control().string() + "-dispatcher") continue;
    std::ifstream info("/proc/" + std::to_string(worker) + "/fdinfo/" + entry.path().filename().string());
    std::string word;
    while (info >> word && word != "flags:") {
    }
    info >> word;
    EXPECT_NE(std::stoul(word, nullptr, 8) & 02000000UL, 0UL) << "not close-on-exec";
  }
  let_go("held");
  expect_state(job, ShownState::succeeded);
}

}  // namespace
}  // namespace tenure::testing
