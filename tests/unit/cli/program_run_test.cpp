#include <tenure/base/clock.hpp>
#include <tenure/cli/program_run.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <support/in_child.hpp>
#include <support/temporary_folder.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::cli {
namespace {

using By = queue::ProcessExit::By;
using Why = ProgramEnd::Why;

// In a child of the test, since signals are held back for good where a program is run.
class ProgramRunTest : public ::testing::Test {
 protected:
  ProgramRunTest() { EXPECT_EQ(::mkfifo(gate().c_str(), 0600), 0); }
  // A program waits there until somebody opens it for writing.
  [[nodiscard]] std::filesystem::path gate() const { return folder_ / "gate"; }
  void open_gate() const { ::close(::open(gate().c_str(), O_WRONLY | O_CLOEXEC)); }

  [[nodiscard]] ProgramStart script(const std::string& text) const {
    return {.command = {"/bin/sh", "-c", text},
            .variables = {"PATH=/usr/bin:/bin", "GATE=" + gate().string()}};
  }
  static ProgramEnd run(const ProgramStart& start) { return run_program(start, RealClock{}); }
  // Whether the program that is started so ends so.
  static bool ends(const ProgramStart& start, Why why, queue::ProcessExit exit) {
    return testing::in_child([&] {
             const ProgramEnd end = run(start);
             return end.why == why && end.exit == exit ? 0 : 1;
           }) == 0;
  }
  static int error_of_start(const std::string& file) {
    return testing::in_child([&] {
      const ProgramEnd end = run({.command = {file}, .variables = {}});
      return end.why == Why::cannot_start ? end.error : 255;
    });
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ProgramRunTest, TellsHowTheProgramHasEnded) {
  EXPECT_TRUE(ends(script("exit 3"), Why::by_itself, {By::code, 3}));
  EXPECT_TRUE(ends(script("kill -USR1 $$"), Why::by_itself, {By::signal, SIGUSR1}));
}

TEST_F(ProgramRunTest, TellsWhyOneCannotBeStarted) {
  EXPECT_EQ(error_of_start(folder_ / "missing"), ENOENT);
  EXPECT_EQ(error_of_start(folder_.path()), EACCES);
  std::ofstream(folder_ / "text") << "no program";
  std::filesystem::permissions(folder_ / "text", std::filesystem::perms::owner_all);
  EXPECT_EQ(error_of_start(folder_ / "text"), ENOEXEC);
}

TEST_F(ProgramRunTest, GivesItTheVariablesThatAreNamedAndNoOthers) {
  ASSERT_EQ(::setenv("OF_THE_TEST", "here", 1), 0);
  EXPECT_TRUE(ends(script("test \"$OF_THE_TEST\" = '' && test -n \"$GATE\""), Why::by_itself, {By::code, 0}));
}

TEST_F(ProgramRunTest, GivesItNoSignalsHeldBackAndNoneIgnored) {
  for (const char* signal : {"INT", "QUIT", "TERM", "HUP", "PIPE", "CHLD"})
    EXPECT_TRUE(ends(script(std::string("trap 'exit 7' ") + signal + "; kill -" + signal + " $$; exit 1"),
                     Why::by_itself, {By::code, 7}))
        << signal;
}

TEST_F(ProgramRunTest, DataCanGoWhereMessagesGo) {
  const auto messages = folder_ / "messages";
  const auto data = folder_ / "data";
  EXPECT_EQ(testing::in_child([&] {
              ::dup2(::open(messages.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
              ::dup2(::open(data.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
              ProgramStart start = script("echo printed");
              start.data_as_messages = true;
              return run(start).exit.number;
            }),
            0);
  EXPECT_EQ(std::filesystem::file_size(data), 0U);
  EXPECT_EQ(std::filesystem::file_size(messages), std::string{"printed\n"}.size());
}

TEST_F(ProgramRunTest, OneThatDoesNotSayHelloInTimeIsEnded) {
  ProgramStart start = script("read line < \"$GATE\"");
  start.has_said_hello = [] { return false; };
  start.hello_max = std::chrono::milliseconds{20};
  EXPECT_TRUE(ends(start, Why::silent, {By::signal, SIGKILL}));
}

TEST_F(ProgramRunTest, OneThatHasSaidHelloMayTakeAsLongAsItLikes) {
  ProgramStart start = script("read line < \"$GATE\"; exit 5");
  start.has_said_hello = [&] {
    open_gate();  // it is long past its time when it goes on
    return true;
  };
  start.hello_max = std::chrono::milliseconds{1};
  EXPECT_TRUE(ends(start, Why::by_itself, {By::code, 5}));
}

TEST_F(ProgramRunTest, HandsOnASignalAndKillsWhatDoesNotObey) {
  // Its parent is told by the program itself, once it is ready.
  const auto is_told = [&](const std::string& before, const std::string& signal, bool has_the_terminal,
                           int ended_by) {
    ProgramStart start =
        script(before + " kill -" + signal + " $PPID; while :; do read line < \"$GATE\"; done");
    start.has_the_terminal = has_the_terminal;
    start.grace = std::chrono::milliseconds{20};
    return ends(start, Why::told_to_end, {By::signal, ended_by});
  };
  EXPECT_TRUE(is_told("", "INT", false, SIGINT));
  EXPECT_TRUE(is_told("", "QUIT", false, SIGQUIT));
  EXPECT_TRUE(is_told("", "TERM", false, SIGTERM));
  EXPECT_TRUE(is_told("", "HUP", false, SIGHUP));
  EXPECT_TRUE(is_told("trap '' TERM;", "TERM", false, SIGKILL));
  EXPECT_TRUE(is_told("", "HUP", true, SIGTERM)) << "as a debugger understands it";
}

TEST_F(ProgramRunTest, ASignalThatCameBeforeTheStartIsOneForTheProgram) {
  EXPECT_EQ(testing::in_child([&] {
              hold_ends();
              ::kill(::getpid(), SIGTERM);
              const ProgramEnd end = run(script("read line < \"$GATE\""));
              return end.why == Why::told_to_end ? end.exit.number : 255;
            }),
            SIGTERM);
}

TEST_F(ProgramRunTest, CtrlCIsADebuggersOwn) {
  ProgramStart start = script("exit 6");
  start.has_the_terminal = true;
  EXPECT_EQ(testing::in_child([&] {
              hold_ends();
              ::kill(::getpid(), SIGINT);
              const ProgramEnd end = run(start);
              return end.why == Why::by_itself ? end.exit.number : 255;
            }),
            6);
}

TEST_F(ProgramRunTest, WhatAShellLeavesIgnoredStaysSo) {
  EXPECT_EQ(testing::in_child([&] {
              (void)std::signal(SIGHUP, SIG_IGN);
              hold_ends();
              ::kill(::getpid(), SIGHUP);
              const ProgramEnd end = run(script("exit 4"));
              return end.why == Why::by_itself ? end.exit.number : 255;
            }),
            4);
}

}  // namespace
}  // namespace tenure::cli
