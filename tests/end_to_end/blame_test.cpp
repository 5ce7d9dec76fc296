#include "installation.hpp"
#include "support/sanitized.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace tenure::testing {
namespace {

using queue::AttemptOutcome;
using queue::AttemptRecord;
using queue::ProcessExit;
using queue::ShownState;

// What jobs do to their worker process, and who is charged for it.
class BlameTest : public Installation {
 protected:
  static constexpr int kSlots = 8;

  // Jobs that perform in all but one of the slots, in one process; its pid.
  pid_t fill_slots_but_one() {
    pid_t process = 0;
    for (int number = 1; number < kSlots; ++number) {
      neighbours_.push_back(enqueue(Wait{name_of(number)}));
      process = wait_for_start_of(name_of(number));
    }
    return process;
  }
  void let_neighbours_go() {
    for (int number = 1; number < kSlots; ++number) let_go(name_of(number));
    for (const queue::JobId job : neighbours_) expect_state(job, ShownState::succeeded);
  }
  static std::string name_of(int number) { return "neighbour-" + std::to_string(number); }

  std::vector<queue::JobId> neighbours_;
};

// The signal as the kernel sends it, as abort() and raise() do, and where the stack itself is used up.
class NamedTest : public BlameTest, public ::testing::WithParamInterface<std::pair<const char*, int>> {};
INSTANTIATE_TEST_SUITE_P(BySignal, NamedTest,
                         ::testing::Values(std::pair{"segfault", SIGSEGV}, std::pair{"abort", SIGABRT},
                                           std::pair{"stack", SIGSEGV}),
                         [](const auto& crash) { return crash.param.first; });

TEST_P(NamedTest, OfEightBusySlotsOnlyTheJobThatCrashesIsCharged) {
  if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer ends the process in its own way";
  configure({.slots = kSlots});
  const auto daemon = start_daemon();
  const pid_t process = fill_slots_but_one();
  const auto crash = enqueue(Crash{GetParam().first, "crash"});
  EXPECT_EQ(wait_for_start_of("crash"), process);
  const auto unstarted = enqueue(Count{"unstarted"});
  let_go("crash");
  expect_state(crash, ShownState::dead);
  EXPECT_EQ(record(crash).reason, queue::JobReason::poison);
  EXPECT_EQ(record(crash).crashes, 3);
  for (const AttemptRecord& attempt : attempts(crash))
    EXPECT_EQ(attempt.place.exit, (ProcessExit{ProcessExit::By::signal, GetParam().second}));
  let_neighbours_go();
  for (const queue::JobId job : neighbours_) {
    EXPECT_EQ(record(job).crashes + record(job).failures, 0);
    EXPECT_GE(record(job).releases, 1);
  }
  expect_state(unstarted, ShownState::succeeded);
  EXPECT_TRUE(attempts(unstarted).empty());
  for (int number = 1; number < kSlots; ++number) EXPECT_EQ(runs_of(name_of(number)), 1);
}

TEST_F(BlameTest, WhereNobodyIsNamedEachIsChargedOnceAndStartsAloneInAProcessOfItsOwn) {
  configure({.slots = kSlots});
  const auto daemon = start_daemon();
  const pid_t process = fill_slots_but_one();
  const auto last = enqueue(Wait{"last"});
  EXPECT_EQ(wait_for_start_of("last"), process);
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  std::set<pid_t> processes{wait_for_start_of("last")};
  for (int number = 1; number < kSlots; ++number) processes.insert(wait_for_start_of(name_of(number)));
  EXPECT_EQ(processes.size(), static_cast<std::size_t>(kSlots)) << "each has one of its own";
  EXPECT_FALSE(processes.contains(process));
  // The pool's own process is none of them, and performs what comes next.
  const auto other = enqueue(Wait{"other"});
  EXPECT_FALSE(processes.contains(wait_for_start_of("other")));
  for (const char* name : {"other", "last"}) let_go(name);
  let_neighbours_go();
  expect_state(last, ShownState::succeeded);
  expect_state(other, ShownState::succeeded);
  neighbours_.push_back(last);
  for (const queue::JobId job : neighbours_) {
    // Processes that end their jobs at once can meet each other's lock on the tenant, which costs nothing.
    const auto history = attempts(job);
    EXPECT_EQ(std::ranges::count(history, queue::AttemptOutcome::interrupted, &queue::AttemptRecord::outcome),
              1);
    ASSERT_FALSE(history.empty());
    EXPECT_EQ(history[0].place.exit, (ProcessExit{ProcessExit::By::signal, SIGKILL}));
    EXPECT_EQ(record(job).crashes, 1);
  }
  EXPECT_TRUE(wait_until([&] { return children_of(daemon->pid()).size() == 1; }));
}

// By kill() the signal is sent to the process and not to a thread: whichever takes it has done nothing.
TEST_F(BlameTest, ASignalThatWasSentToTheProcessNamesNobody) {
  configure({.slots = 2});
  const auto daemon = start_daemon();
  const std::array jobs{enqueue(Wait{"one"}), enqueue(Wait{"two"})};
  const pid_t process = wait_for_start_of("one");
  EXPECT_EQ(wait_for_start_of("two"), process);
  ASSERT_EQ(::kill(process, SIGABRT), 0);
  EXPECT_NE(wait_for_start_of("one"), wait_for_start_of("two"));
  for (const char* name : {"one", "two"}) let_go(name);
  for (const queue::JobId job : jobs) {
    expect_state(job, ShownState::succeeded);
    EXPECT_EQ(record(job).crashes, 1);
  }
}

TEST_F(BlameTest, LSE_22_TheAttemptKeepsExitCodeOrSignalHolderPidStartAndEnd) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto exits = enqueue(Crash{"exit"});
  const auto killed = enqueue(Wait{"work"});
  const pid_t process = wait_for_start_of("work");
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  static_cast<void>(wait_for_start_of("work"));
  let_go("work");
  expect_state(killed, ShownState::succeeded);
  expect_state(exits, ShownState::dead);
  const AttemptRecord by_signal = attempts(killed).at(0);
  EXPECT_EQ(by_signal.place,
            (queue::RunPlace{"general.0", process, ProcessExit{ProcessExit::By::signal, 9}}));
  const AttemptRecord by_exit = attempts(exits).at(0);
  EXPECT_EQ(by_exit.place.exit, (ProcessExit{ProcessExit::By::code, 0}));
  for (const AttemptRecord& attempt : {by_signal, by_exit}) {
    EXPECT_FALSE(attempt.node.empty());
    EXPECT_GT(attempt.place.pid, 0);
    ASSERT_TRUE(attempt.started.has_value());
    EXPECT_LE(*attempt.started, attempt.finished);
  }

  const Process show({TENURE_PROGRAM, "job", "show", killed.text(), "--config", config_file()},
                     folder_ / "show.txt");
  ASSERT_TRUE(wait_until([&] { return !is_alive(show.pid()); }));
  EXPECT_NE(show.output().find("crashed  signal 9 (Killed)"), std::string::npos) << show.output();
  EXPECT_NE(show.output().find("/general.0  "), std::string::npos) << show.output();
}

TEST_F(BlameTest, LSE_03_AProcessThatIsStoppedPastThePingBoundIsReapedBeforeItsJobsStartAgain) {
  configure({.slots = 1, .ping_max = "1s"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const auto behind = enqueue(Count{"behind"});
  const pid_t first = wait_for_start_of("work");
  ASSERT_EQ(::kill(first, SIGSTOP), 0);
  let_go("work");  // the old run would end now, if it ever went on
  expect_state(job, ShownState::succeeded);
  EXPECT_FALSE(is_alive(first));
  const pid_t second = wait_for_start_of("work");
  EXPECT_NE(second, first);
  expect_state(behind, ShownState::succeeded);
  EXPECT_EQ(runs_of("work"), 1) << "nothing of the old run is recorded";
  ASSERT_EQ(attempts(job).size(), 1U);
  EXPECT_EQ(attempts(job)[0].outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(attempts(job)[0].place.pid, first);
  EXPECT_EQ(attempts(job)[0].place.exit, (ProcessExit{ProcessExit::By::signal, SIGKILL}));
  ASSERT_TRUE(wait_until([&] { return children_of(daemon->pid()).size() == 1; }));
  const auto describes = [&] {
    daemon->signal(SIGUSR2);
    return daemon->output().find("0 of 1 slots perform, 0 jobs are assigned") != std::string::npos;
  };
  EXPECT_TRUE(wait_until(describes)) << daemon->output();
}

}  // namespace
}  // namespace tenure::testing
