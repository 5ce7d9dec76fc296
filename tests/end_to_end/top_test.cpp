#include "installation.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <string>
#include <support/terminal_program.hpp>
#include <tuple>

// tenure top on a real terminal.
namespace tenure::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr const char* kLeft = "\x1b[?25h\x1b[?1049l";  // the cursor is there, and so is what was there before

auto settings_of(const termios& mode) {
  return std::tuple(mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag,
                    std::string(mode.c_cc, mode.c_cc + NCCS));
}

class TopOnATerminal : public Installation {
 protected:
  std::unique_ptr<TerminalProgram> start_top(std::vector<std::string> more = {}) {
    std::vector<std::string> command{TENURE_PROGRAM, "top", "--config", config_file()};
    command.insert(command.end(), more.begin(), more.end());
    return std::make_unique<TerminalProgram>(command, 80, 24);
  }
  static void expect_as_before(TerminalProgram& top) {
    EXPECT_EQ(settings_of(top.mode()), settings_of(top.mode_before()));
    EXPECT_THAT(top.screen(), EndsWith(kLeft));
  }
};

TEST_F(TopOnATerminal, ShowsWhatTheDaemonDoesAndGivesTheTerminalBackAfterQ) {
  configure({.slots = 3});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"shown"});
  static_cast<void>(wait_for_start_of("shown"));
  const auto top = start_top();
  EXPECT_TRUE(top->shows("\x1b[?1049h"));
  EXPECT_TRUE(top->shows("] 1 of 3   general 1/3"));
  EXPECT_FALSE((top->mode().c_lflag & (ICANON | ECHO)) != 0) << "keys come as they are typed";
  top->type("k");
  EXPECT_TRUE(top->shows("test.wait"));
  top->type("u\r");
  EXPECT_TRUE(top->shows("tenure why queue=default"));
  top->type("q");
  EXPECT_TRUE(top->shows("u queues"));
  top->type("q");
  EXPECT_EQ(top->wait(), "exit 0");
  expect_as_before(*top);
  let_go("shown");
  expect_state(job, queue::ShownState::succeeded);
}

TEST_F(TopOnATerminal, EachSignalThatEndsItLeavesTheTerminalAsItWas) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU,
                           SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGRTMIN, SIGRTMAX}) {
    const auto top = start_top();
    ASSERT_TRUE(top->shows("SLOTS ["));
    top->signal(number);
    EXPECT_EQ(top->wait(), "exit 0") << number;
    expect_as_before(*top);
  }
  const auto top = start_top();
  ASSERT_TRUE(top->shows("SLOTS ["));
  top->type("\x03");
  EXPECT_EQ(top->wait(), "exit 0") << "Ctrl-C is a key of a terminal that sends keys";
  expect_as_before(*top);
}

TEST_F(TopOnATerminal, ACrashLeavesTheTerminalAsItWasToo) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  for (const int number : {SIGABRT, SIGSYS, SIGTRAP}) {
    const auto top = start_top();
    ASSERT_TRUE(top->shows("SLOTS ["));
    top->signal(number);
    EXPECT_EQ(top->wait(), "signal " + std::to_string(number));
    expect_as_before(*top);
  }
}

TEST_F(TopOnATerminal, OneWhoseTerminalTakesNothingEndsAllTheSame) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGABRT}) {
    const auto top = start_top();
    ASSERT_TRUE(top->shows("SLOTS ["));
    top->take_nothing();
    top->type("k");  // draws
    top->signal(number);
    ASSERT_EQ(top->wait(), number == SIGABRT ? "signal 6" : "exit 0") << number;
    EXPECT_EQ(settings_of(top->mode()), settings_of(top->mode_before())) << number;
  }
  const auto top = start_top();
  ASSERT_TRUE(top->shows("SLOTS ["));
  top->take_nothing();
  top->type("kq");
  ASSERT_EQ(top->wait(), "exit 0") << "keys reach it too";
  EXPECT_EQ(settings_of(top->mode()), settings_of(top->mode_before()));
}

TEST_F(TopOnATerminal, OneWhoseTerminalTakesNothingStopsAndDrawsOnceItTakesAgain) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto top = start_top();
  ASSERT_TRUE(top->shows("SLOTS ["));
  top->take_nothing();
  top->type("k");
  top->signal(SIGTSTP);
  ASSERT_EQ(top->wait(), "stopped");
  EXPECT_EQ(settings_of(top->mode()), settings_of(top->mode_before()));
  top->take_again();
  top->signal(SIGCONT);
  ASSERT_TRUE(top->shows("\x1b[?1049h"));
  ASSERT_TRUE(top->shows("SLOTS ["));
  top->type("q");
  EXPECT_EQ(top->wait(), "exit 0");
  expect_as_before(*top);
}

TEST_F(TopOnATerminal, AStoppedOneHasGivenTheTerminalBackAndTakesItWhenItGoesOn) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto top = start_top();
  ASSERT_TRUE(top->shows("SLOTS ["));
  for (const bool by_key : {false, true}) {
    if (by_key) top->type("\x1a");
    else top->signal(SIGTSTP);
    ASSERT_EQ(top->wait(), "stopped");
    expect_as_before(*top);
    top->signal(SIGCONT);
    ASSERT_TRUE(top->shows("\x1b[?1049h"));
    ASSERT_TRUE(top->shows("SLOTS ["));
  }
  top->type("q");
  EXPECT_EQ(top->wait(), "exit 0");
  expect_as_before(*top);
}

TEST_F(TopOnATerminal, AStoppedOneThatIsEndedInTheBackgroundLeavesTheTerminalToWhoeverHasIt) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const std::string script =
      "set -m; \"$@\"; echo stopped; kill -TERM %1; bg %1; wait %1; echo ended $?; read word";
  TerminalProgram shell({"/bin/sh", "-c", script, "sh", TENURE_PROGRAM, "top", "--config", config_file()}, 80,
                        24);
  ASSERT_TRUE(shell.shows("SLOTS ["));
  shell.type("\x1a");
  ASSERT_TRUE(shell.shows("stopped"));
  ASSERT_TRUE(shell.shows("ended 0"));
  EXPECT_EQ(settings_of(shell.mode()), settings_of(shell.mode_before()));
}

TEST_F(TopOnATerminal, AnotherSizeIsDrawnAtOnceAndADaemonThatEndsIsSaid) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto top = start_top({"--watch", "100ms"});
  ASSERT_TRUE(top->shows("w workers"));
  top->resize(30, 10);
  EXPECT_TRUE(top->shows("SLOTS [..........] 0 of 1"));
  top->resize(80, 24);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_TRUE(top->shows("no daemon answers at "));
  top->type("q");
  EXPECT_EQ(top->wait(), "exit 0");
  expect_as_before(*top);
}

}  // namespace
}  // namespace tenure::testing
