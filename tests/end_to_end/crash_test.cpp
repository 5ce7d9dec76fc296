#include "installation.hpp"
#include "support/sanitized.hpp"

#include <csignal>
#include <functional>
#include <memory>

namespace tenure::testing {
namespace {

using queue::AttemptOutcome;
using queue::ShownState;

using CrashTest = Installation;

TEST_F(CrashTest, LSE_01_AKilledWorkersJobRunsAgainWithOneEffect) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const pid_t first = wait_for_start_of("work");
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  const pid_t second = wait_for_start_of("work");
  EXPECT_NE(first, second);
  let_go("work");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1);
  ASSERT_EQ(attempts(job).size(), 1U);
  EXPECT_EQ(attempts(job)[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(record(job).crashes, 1);
  EXPECT_EQ(record(job).failures, 0);
}

TEST_F(CrashTest, LSE_04_LSE_17_AKilledDaemonTakesItsWorkersAlongAndTheNextGoesOn) {
  configure({.processes = 2});
  auto daemon = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const pid_t worker = wait_for_start_of("work");
  const auto workers = children_of(daemon->pid());
  EXPECT_EQ(workers.size(), 2U);
  daemon->signal(SIGKILL);
  ASSERT_EQ(daemon->wait(), "signal 9");
  for (const pid_t pid : workers) EXPECT_TRUE(wait_until([&] { return !is_alive(pid); })) << pid;

  daemon = start_daemon();
  EXPECT_NE(wait_for_start_of("work"), worker);
  let_go("work");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1);
  EXPECT_EQ(record(job).crashes, 0) << "the daemon's death is nobody's fault";
}

TEST_F(CrashTest, LSE_17_AStoppedWorkerDiesWithItsDaemonToo) {
  configure();
  auto daemon = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const pid_t worker = wait_for_start_of("work");
  ASSERT_EQ(::kill(worker, SIGSTOP), 0);
  daemon->signal(SIGKILL);
  ASSERT_EQ(daemon->wait(), "signal 9");
  EXPECT_TRUE(wait_until([&] { return !is_alive(worker); }));
  daemon = start_daemon();
  static_cast<void>(wait_for_start_of("work"));
  let_go("work");
  expect_state(job, ShownState::succeeded);
}

TEST_F(CrashTest, ADaemonWhoseLockFileIsRemovedLeavesAndNoJobRunsTwice) {
  configure({.slots = 1});
  const auto first = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const pid_t worker = wait_for_start_of("work");
  std::filesystem::remove(control().string() + "-dispatcher");
  const auto second = start_daemon();
  EXPECT_EQ(first->wait(), "exit 69") << first->output();
  EXPECT_TRUE(wait_until([&] { return !is_alive(worker); }));
  let_go("work");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1);
}

class SideFileTest : public CrashTest, public ::testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(OfTheControlDatabase, SideFileTest, ::testing::Values("-shm", "-wal"),
                         [](const auto& side) { return side.param.substr(1); });

TEST_P(SideFileTest, ThatIsRemovedEndsTheDaemonAndTheClientSaysSo) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  Client own = Client::open(config_file());
  std::filesystem::remove(control().string() + GetParam());
  EXPECT_THROW(with_tenant("acme", [&] { own.enqueue(Count{"lost"}); }), DatabaseMoved);
  EXPECT_EQ(daemon->wait(), "exit 69") << daemon->output();
}

TEST_F(CrashTest, LSE_05_AJobThatKeepsKillingItsProcessIsPoison) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  for (const char* how : {"abort", "exit", "segfault", "stack", "terminate"}) {
    const auto job = enqueue(Crash{how});
    expect_state(job, ShownState::dead);
    EXPECT_EQ(record(job).reason, queue::JobReason::poison) << how;
    EXPECT_EQ(record(job).crashes, 3) << how;
    EXPECT_EQ(attempts(job).size(), 3U) << how;
  }
  const auto healthy = enqueue(Count{"healthy"});
  expect_state(healthy, ShownState::succeeded);
}

// Starts the daemon again each time that it has died, as an init system does, until the job has ended; how often it died.
class DaemonDeathTest : public Installation {
 protected:
  static constexpr int kDeathsMax = 8;

  int start_until_ended(queue::JobId job, const std::function<std::unique_ptr<Process>()>& start) {
    int deaths = 0;
    const auto has_ended = [&] { return record(job).finished.has_value(); };
    while (deaths < kDeathsMax && !has_ended()) {
      daemon_ = start();
      bool is_dead = false;
      EXPECT_TRUE(wait_until([&] {
        is_dead = daemon_->wait(std::chrono::milliseconds{1}).has_value();
        return is_dead || has_ended();
      }));
      deaths += is_dead ? 1 : 0;
    }
    return deaths;
  }
  void expect_poison(queue::JobId job) {
    expect_state(job, ShownState::dead);
    EXPECT_EQ(record(job).reason, queue::JobReason::poison);
    EXPECT_EQ(record(job).crashes, 3);
    const auto history = attempts(job);
    ASSERT_GE(history.size(), 3U);
    EXPECT_EQ(history.back().outcome, AttemptOutcome::interrupted);
    EXPECT_NE(history.back().error.find("daemon ended"), std::string::npos) << history.back().error;
  }
  void expect_innocent(queue::JobId job) {
    expect_state(job, ShownState::succeeded);
    EXPECT_EQ(record(job).crashes, 0);
  }

  std::unique_ptr<Process> daemon_;
};

TEST_F(DaemonDeathTest, LSE_26_AJobThatKillsTheDaemonIsPoisonAndTheOthersEnd) {
  configure({.processes = 2, .slots = 2});
  const auto slow = enqueue(Wait{"slow"});
  const auto killer = enqueue(Crash{"kill-daemon"});
  const auto quick = enqueue(Count{"quick"});
  EXPECT_LE(start_until_ended(killer, [&] { return start_daemon(); }), 5);
  expect_poison(killer);
  let_go("slow");
  expect_innocent(slow);
  expect_innocent(quick);
  EXPECT_EQ(runs_of("slow"), 1);
  EXPECT_EQ(runs_of("quick"), 1);
  EXPECT_NE(daemon_->output().find("daemon.suspects"), std::string::npos) << daemon_->output();
}

TEST_F(DaemonDeathTest, LSE_26_AJobThatCrashesAStandAloneWorkerIsPoisonAndTheOthersEnd) {
  configure({.slots = 2});
  const auto slow = enqueue(Wait{"slow"});
  const auto crash = enqueue(Crash{"segfault"});
  const auto quick = enqueue(Count{"quick"});
  // One that makes suspects, three that are charged, and those that come before a trial has begun: one, or two of a slow process.
  EXPECT_LE(start_until_ended(crash, [&] { return start_alone(); }), testing::kIsSanitized ? 6 : 5);
  expect_poison(crash);
  let_go("slow");
  expect_innocent(slow);
  expect_innocent(quick);
}

TEST_F(DaemonDeathTest, LSE_26_AStopAtOnceMakesNoSuspects) {
  configure({.stop_deadline = "1s"});
  auto worker = start_alone();
  const auto job = enqueue(Wait{"work"});
  static_cast<void>(wait_for_start_of("work"));
  worker->signal(SIGQUIT);
  ASSERT_TRUE(worker->wait().has_value());
  worker = start_alone();
  static_cast<void>(wait_for_start_of("work"));
  EXPECT_EQ(worker->output().find("daemon.suspects"), std::string::npos) << worker->output();
  let_go("work");
  expect_innocent(job);
}

TEST_F(CrashTest, RUN_10_ExitInsideAHandlerIsNeverSuccess) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(Crash{"exit"});
  expect_state(job, ShownState::dead);
  EXPECT_EQ(attempts(job)[0].outcome, AttemptOutcome::interrupted);
}

}  // namespace
}  // namespace tenure::testing
