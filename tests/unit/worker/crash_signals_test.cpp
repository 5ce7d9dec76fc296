#include "support/sanitized.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <worker/crash_signals.hpp>

namespace tenure::daemon {
namespace {

using queue::ProcessExit;

// What a child process does in a thread with the second slot of a board, while the job 1 is performed there and the job 2 in the first.
class CrashSignalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer ends the process in its own way";
  }
  // The signals that are noted for the jobs 1 and 2; nothing where the process ended otherwise than by one.
  void crash(const std::function<void()>& in_thread) {
    const pid_t child = ::fork();
    if (child == 0) {
      note_crashes();
      const SlotBoard board(memory_.number());
      const CrashSlot main_slot(board.slot(0));
      const PerformedInSlot other(board.slot(0), claim(2), {});
      std::thread{[&] {
        const CrashSlot slot(board.slot(1));
        const PerformedInSlot performed(board.slot(1), claim(1), {});
        in_thread();
      }}.join();
      ::_exit(0);
    }
    wait_for(child);
  }
  void wait_for(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    exit_ = WIFSIGNALED(status) ? ProcessExit{ProcessExit::By::signal, WTERMSIG(status)}
                                : ProcessExit{ProcessExit::By::code, WEXITSTATUS(status)};
    crashed_ = read_board(memory_.number(), exit_).value_or(LastSlots{}).crashed;
  }
  static queue::ClaimRef claim(std::int64_t seq) {
    return {queue::JobSeq{seq}, {queue::Incarnation{7}, seq}};
  }
  void expect_named(int signal) {
    EXPECT_EQ(exit_, (ProcessExit{ProcessExit::By::signal, signal}));
    EXPECT_EQ(crashed_, std::vector{claim(1)}) << signal;
  }
  void expect_nobody(int signal) {
    EXPECT_EQ(exit_, (ProcessExit{ProcessExit::By::signal, signal}));
    EXPECT_TRUE(crashed_.empty()) << signal;
  }

  Descriptor memory_{value_or_raise(make_board(2))};
  ProcessExit exit_;
  std::vector<queue::ClaimRef> crashed_;
};

int overflow(volatile char* above) {
  volatile char frame[4096];
  frame[0] = *above;
  if (*above != 0) return 0;
  return overflow(frame) + frame[1];
}

TEST_F(CrashSignalsTest, AThreadThatRaisesOneIsNamedAndTheProcessEndsByIt) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    crash([&] { ::raise(signal); });
    expect_named(signal);
  }
  crash([] { std::abort(); });
  expect_named(SIGABRT);
}

TEST_F(CrashSignalsTest, AFaultIsNamedAndSoIsAnOverflowOfTheStack) {
  crash([] { *reinterpret_cast<volatile int*>(::getpid() - ::getpid()) = 1; });
  expect_named(SIGSEGV);
  crash([] {
    volatile char top = 0;
    ::_exit(overflow(&top));
  });
  expect_named(SIGSEGV);
}

TEST_F(CrashSignalsTest, WhatIsSentToTheProcessNamesNobody) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGKILL}) {
    crash([&] {
      ::kill(::getpid(), signal);
      while (true) ::pause();
    });
    expect_nobody(signal);
  }
}

TEST_F(CrashSignalsTest, AThreadWithoutASlotNamesNobody) {
  crash([] { std::thread{[] { std::abort(); }}.join(); });
  expect_nobody(SIGABRT);
}

TEST_F(CrashSignalsTest, AChildThatIsForkedNamesNobodyInItsParent) {
  crash([] {
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    ::waitpid(child, nullptr, 0);
    ::raise(SIGKILL);
  });
  expect_nobody(SIGKILL);
  EXPECT_EQ(read_board(memory_.number(), {ProcessExit::By::signal, SIGABRT})->crashed.size(), 0U);
}

void leave_with_three(int) { ::_exit(3); }

// A sanitizer's handler, say: it was there before, and has the last word.
TEST_F(CrashSignalsTest, TheFormerActionIsCarriedOut) {
  const auto former = std::signal(SIGSEGV, leave_with_three);
  crash([] { ::raise(SIGSEGV); });
  std::signal(SIGSEGV, former);
  EXPECT_EQ(exit_, (ProcessExit{ProcessExit::By::code, 3}));
}

void survive(int) {}

TEST_F(CrashSignalsTest, ASignalThatAHandlerOfBeforeSurvivesNamesNobodyAndTheNextIsSeenAsWell) {
  const auto former = std::signal(SIGABRT, survive);
  crash([] {
    for (int time = 0; time < 2; ++time) ::raise(SIGABRT);
    ::raise(SIGKILL);
  });
  std::signal(SIGABRT, former);
  expect_nobody(SIGKILL);
  EXPECT_TRUE(read_board(memory_.number(), {ProcessExit::By::signal, SIGABRT})->crashed.empty());
}

void report_and_die(int number) {
  std::signal(number, SIG_DFL);
  ::raise(number);
}

TEST_F(CrashSignalsTest, AHandlerOfBeforeThatEndsTheProcessByTheSignalLeavesItNamed) {
  const auto former = std::signal(SIGSEGV, report_and_die);
  crash([] { ::raise(SIGSEGV); });
  std::signal(SIGSEGV, former);
  expect_named(SIGSEGV);
}

// exit() destroys what others use.
class ExitTest : public CrashSignalsTest {
 protected:
  // In an action of exit(), which the main thread's job calls or a thread that has no slot.
  void exit_and_crash(bool has_slot) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::atexit([] {
        is_destroyed = true;
        while (true) ::pause();
      });
      note_crashes();
      const SlotBoard board(memory_.number());
      const CrashSlot main_slot(board.slot(0));
      const PerformedInSlot caller(board.slot(0), claim(2), {});
      std::thread neighbour{[&] {
        const CrashSlot slot(board.slot(1));
        const PerformedInSlot performed(board.slot(1), claim(1), {});
        while (!is_destroyed) std::this_thread::yield();
        ::raise(SIGSEGV);
      }};
      if (has_slot) std::exit(0);
      std::thread{[] { std::exit(0); }}.join();
    }
    wait_for(child);
  }
  static inline std::atomic<bool> is_destroyed = false;
};

TEST_F(ExitTest, WhoMeetsASignalSinceANeighbourHasCalledExitIsNotNamed) {
  for (const bool has_slot : {true, false}) {
    exit_and_crash(has_slot);
    expect_nobody(SIGSEGV);
  }
}

TEST_F(ExitTest, WhoseOwnExitMeetsOneIsNamed) {
  crash([] {
    std::atexit([] { ::raise(SIGSEGV); });
    std::exit(0);
  });
  expect_named(SIGSEGV);
}

TEST_F(CrashSignalsTest, AHandlerThatIsInstalledLaterWinsAndNobodyIsNamed) {
  crash([] {
    std::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
  });
  expect_nobody(SIGSEGV);
}

}  // namespace
}  // namespace tenure::daemon
