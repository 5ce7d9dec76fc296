#include "installation.hpp"

#include <fmt/format.h>

#include <csignal>

namespace tenure::testing {
namespace {

using queue::ShownState;

constexpr int kAhead = 60;

class ForkTest : public Installation {
 protected:
  std::vector<queue::JobId> enqueue_counts() {
    std::vector<queue::JobId> jobs;
    for (int i = 0; i < kAhead; ++i) jobs.push_back(enqueue(Count{name_of(i)}));
    return jobs;
  }
  static std::string name_of(int number) { return fmt::format("count-{}", number); }
  void expect_each_once(const std::vector<queue::JobId>& jobs) {
    for (int i = 0; i < kAhead; ++i) {
      expect_state(jobs.at(static_cast<std::size_t>(i)), ShownState::succeeded);
      EXPECT_EQ(runs_of(name_of(i)), 1) << i;
    }
  }
};

// Ends a child of a job that nobody else would end.
class Orphan {
 public:
  explicit Orphan(pid_t pid) : pid_(pid) {}
  ~Orphan() { ::kill(pid_, SIGKILL); }
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(ForkTest, AChildThatReturnsFromTheHandlerEndsThere) {
  configure({.slots = 1});
  const auto fork = enqueue(Fork{"forked", "returns"});
  const auto counts = enqueue_counts();
  const auto daemon = start_daemon();
  expect_state(fork, ShownState::succeeded);
  expect_each_once(counts);
  EXPECT_EQ(runs_of("forked"), 1);
  EXPECT_EQ(record(fork).crashes, 0);
  EXPECT_TRUE(wait_until([&] { return daemon->output().find("job.child_returned") != std::string::npos; }));
}

TEST_F(ForkTest, AChildInsideAStepCommitsNothing) {
  configure({.slots = 1});
  const auto fork = enqueue(Fork{"forked", "in_once"});
  const auto counts = enqueue_counts();
  const auto daemon = start_daemon();
  expect_state(fork, ShownState::succeeded);
  expect_each_once(counts);
  EXPECT_EQ(runs_of("forked"), 1);
  EXPECT_TRUE(wait_until([&] { return daemon->output().find("job.child_returned") != std::string::npos; }));
}

TEST_F(ForkTest, AHandlerThatMakesItselfADaemonIsACrashAndLeavesNobody) {
  configure({.slots = 1});
  const auto fork = enqueue(Fork{"forked", "daemon"});
  const auto daemon = start_daemon();
  expect_state(fork, ShownState::dead);
  EXPECT_EQ(record(fork).reason, queue::JobReason::poison);
  EXPECT_EQ(runs_of("forked"), 0) << "an orphan has written for a job that is dead";
  const auto healthy = enqueue(Count{"healthy"});
  expect_state(healthy, ShownState::succeeded);
}

TEST_F(ForkTest, AChildThatLivesOnIsEndedWithItsProcess) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto fork = enqueue(Fork{"forked", "lives_on"});
  expect_state(fork, ShownState::succeeded);
  const Orphan child(wait_for_start_of("child-forked"));
  ASSERT_TRUE(is_alive(child.pid()));
  const auto crash = enqueue(Crash{"abort"});
  EXPECT_TRUE(wait_until([&] { return record(crash).crashes > 0; }));
  EXPECT_TRUE(wait_until([&] { return !is_alive(child.pid()); }));
}

TEST_F(ForkTest, AChildThatLeavesItsProcessGroupKeepsNeitherLockNorSocket) {
  configure({.slots = 1});
  auto daemon = start_daemon();
  const auto fork = enqueue(Fork{"forked", "escapes"});
  expect_state(fork, ShownState::succeeded);
  const Orphan child(wait_for_start_of("child-forked"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  ASSERT_TRUE(is_alive(child.pid()));
  daemon = start_daemon();
  const auto next = enqueue(Count{"next"});
  expect_state(next, ShownState::succeeded);
}

TEST_F(ForkTest, ASignalToAChildIsNotTheStandAloneWorkers) {
  configure({.slots = 1});
  Process worker({WORKER_PROGRAM, "--config", config_file()}, folder_ / "alone.log",
                 {"TENURE_CONFIG=" + config_file().string()});
  const auto fork = enqueue(Fork{"forked", "lives_on"});
  expect_state(fork, ShownState::succeeded);
  const Orphan child(wait_for_start_of("child-forked"));
  ASSERT_EQ(::kill(child.pid(), SIGTERM), 0);
  EXPECT_TRUE(wait_until([&] { return !is_alive(child.pid()); }));
  const auto next = enqueue(Count{"next"});
  expect_state(next, ShownState::succeeded);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
