#include "installation.hpp"
#include "support/sanitized.hpp"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

// The table of docs/manual/operation.md, "What a job can do to its process": its rows that no other test is about.
namespace tenure::testing {
namespace {

using queue::ShownState;

struct Misbehaviour {
  const char* how;
  ErrorCode code;     // of the last attempt
  int crashes;        // of the job, when it is dead
  int failures;       // likewise
  bool ends_process;  // with its neighbour in it
  int crashes_of_neighbour;
  bool needs_plain_memory = false;
  friend std::ostream& operator<<(std::ostream& out, const Misbehaviour& row) { return out << row.how; }
};

class MisbehaviourTest : public Installation, public ::testing::WithParamInterface<Misbehaviour> {};

INSTANTIATE_TEST_SUITE_P(
    OfTheTable, MisbehaviourTest,
    ::testing::Values(Misbehaviour{"exit", ErrorCode::worker_crashed, 3, 0, true, 1},
                      Misbehaviour{"terminate", ErrorCode::worker_crashed, 3, 0, true, 1},
                      Misbehaviour{"throw", ErrorCode::handler_failed, 0, 1, false, 0},
                      Misbehaviour{"allocate", ErrorCode::handler_failed, 0, 1, false, 0, true}),
    [](const auto& row) { return row.param.how; });

TEST_P(MisbehaviourTest, WhoIsBlamedAndWhoIsNot) {
  const Misbehaviour& row = GetParam();
  if (row.needs_plain_memory && kIsSanitized)
    GTEST_SKIP() << "not run here: a sanitizer needs more memory than any limit";
  configure({.slots = 2});
  const auto daemon = start_daemon();
  const auto neighbour = enqueue(Wait{"neighbour"});
  const pid_t process = wait_for_start_of("neighbour");
  const auto job = enqueue(Crash{row.how, "job"}, {.attempts_max = 1});
  EXPECT_EQ(wait_for_start_of("job"), process);
  let_go("job");
  expect_state(job, ShownState::dead);
  EXPECT_EQ(attempts(job).back().error_code, row.code) << record(job).error;
  EXPECT_EQ(record(job).crashes, row.crashes);
  EXPECT_EQ(record(job).failures, row.failures);
  EXPECT_EQ(is_alive(process), !row.ends_process);
  if (row.ends_process) {
    EXPECT_NE(wait_for_start_of("neighbour"), process);
  }
  let_go("neighbour");
  expect_state(neighbour, ShownState::succeeded);
  EXPECT_EQ(record(neighbour).crashes, row.crashes_of_neighbour);
  EXPECT_EQ(record(neighbour).failures, 0);
  EXPECT_EQ(runs_of("neighbour"), 1);
}

// A program that cannot be used takes no job: they wait until one can.
class ProgramTest : public Installation {
 protected:
  std::filesystem::path program() const { return folder_ / "worker"; }
  void write(const std::string& text) { std::ofstream(program()) << text; }
  void expect_told_and_tried_again(const std::string& why) {
    configure({.program = program()});
    const auto daemon = start_daemon();
    const auto job = enqueue(Count{"late"});
    EXPECT_TRUE(wait_until([&] { return daemon->output().find(why) != std::string::npos; }))
        << daemon->output();
    EXPECT_TRUE(
        wait_until([&] { return daemon->output().find("worker.restart_delayed") != std::string::npos; }));
    std::filesystem::remove(program());
    std::filesystem::create_symlink(WORKER_PROGRAM, program());
    expect_state(job, ShownState::succeeded);
    EXPECT_TRUE(attempts(job).empty());
  }
};

TEST_F(ProgramTest, RUN_15_OneThatCannotBeExecutedIsNamedAndTriedAgain) {
  write("#!/bin/sh\n");
  std::filesystem::permissions(program(), std::filesystem::perms::owner_read);
  expect_told_and_tried_again("Permission denied");
}

// Says hello with protocol 2 only, and then listens.
TEST_F(ProgramTest, OneOfANewerProtocolIsRefusedAndTriedAgain) {
  write("#!/bin/sh\nprintf '\\010\\0\\0\\0\\001\\002\\0\\002\\0\\0\\0\\0' >&3\nexec cat <&3\n");
  std::filesystem::permissions(program(), std::filesystem::perms::owner_all);
  expect_told_and_tried_again("protocol");
}

}  // namespace
}  // namespace tenure::testing
