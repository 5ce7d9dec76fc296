#include "installation.hpp"

#include <csignal>
#include <fstream>
#include <string>

// Progress and cursors of jobs, from the handler through tenured into the control database and back.
namespace tenure::testing {
namespace {

using queue::ShownState;

class ProgressTest : public Installation {
 protected:
  // Until what it has told is stored; the pid of its process.
  pid_t wait_for_progress_of(queue::JobId job, const std::string& name) {
    const pid_t pid = wait_for_start_of(name);
    EXPECT_TRUE(wait_until([&] { return record(job).progress.has_value(); }));
    return pid;
  }
  std::string cursor_seen_by(const std::string& name) {
    std::string cursor;
    std::ifstream(folder_ / ("cursor-" + name)) >> cursor;
    return cursor;
  }
};

TEST_F(ProgressTest, RUN_13_ProgressShowsAndAJobThatCrashesGoesOnAtItsCursor) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Resume{"crash"});
  const pid_t worker = wait_for_progress_of(job, "crash");
  const auto shown = record(job).progress;
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(shown->progress.done, 40);
  EXPECT_EQ(shown->progress.total, 100);
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(cursor_seen_by("crash"), "40");
  EXPECT_FALSE(record(job).progress.has_value());
}

TEST_F(ProgressTest, RUN_13_AStopInterruptsAtACheckpointAtNoCostAndTheNextRunGoesOnThere) {
  configure({.stop_deadline = "1s"});
  auto daemon = start_daemon();
  const auto job = enqueue(Resume{"stop"});
  static_cast<void>(wait_for_start_of("stop"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(record(job).state, ShownState::ready);
  EXPECT_EQ(record(job).releases, 1);
  EXPECT_EQ(record(job).failures + record(job).crashes, 0);
  EXPECT_EQ(record(job).error, "");
  daemon = start_daemon();
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(cursor_seen_by("stop"), "40");
}

}  // namespace
}  // namespace tenure::testing
