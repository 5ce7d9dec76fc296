#include "installation.hpp"

#include <tenure/queue/sqlite_store.hpp>

#include <csignal>
#include <fstream>

// Jobs that nobody can perform, as a process that only looks sees them, and what makes them start.
namespace tenure::testing {
namespace {

using queue::JobReason;
using queue::ShownState;

class HeldJob : public Installation {
 protected:
  // A version of the worker program without the handler of Count.
  [[nodiscard]] std::string program_without_count() const {
    const auto path = folder_ / "worker-without-count";
    std::ofstream(path) << "#!/bin/sh\nWITHOUT_COUNT=1 exec '" WORKER_PROGRAM "'\n";
    std::filesystem::permissions(path, std::filesystem::perms{0755});
    return path;
  }
  [[nodiscard]] queue::JobRecord seen(queue::JobId job) const {
    std::optional<queue::JobRecord> record;
    queue::look_at_sqlite_store(control())->read(
        [&](queue::JobReader& reader) { record = reader.find_job(job); });
    return record.value();
  }
  void expect_held(queue::JobId job, JobReason reason) {
    EXPECT_TRUE(wait_until([&] { return seen(job).reason == reason; }))
        << name_of(seen(job).state) << ' ' << name_of(seen(job).reason);
    EXPECT_EQ(seen(job).state, ShownState::held);
  }
  // It has cost the job nothing.
  void expect_performed(queue::JobId job) {
    expect_state(job, ShownState::succeeded);
    EXPECT_TRUE(attempts(job).empty());
    EXPECT_EQ(seen(job).failures + seen(job).crashes + seen(job).releases, 0);
  }
};

TEST_F(HeldJob, RTY_05_AJobWithoutAHandlerIsHeldAndStartsUnderAProgramThatHasOne) {
  configure({.program = program_without_count()});
  const auto job = enqueue(Count{"late"});
  EXPECT_EQ(seen(job).state, ShownState::ready) << "no dispatcher runs";
  auto daemon = start_daemon();
  expect_held(job, JobReason::kind_unknown);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  EXPECT_EQ(seen(job).state, ShownState::ready) << "no dispatcher runs";
  configure();
  daemon = start_daemon();
  expect_performed(job);
}

// The dispatcher lives on: a rolling restart of the worker processes alone.
TEST_F(HeldJob, RTY_05_AHeldJobStartsWhenAWorkerWithItsKindSaysHello) {
  configure({.program = program_without_count()});
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"late"});
  expect_held(job, JobReason::kind_unknown);
  const auto program = program_without_count();
  std::filesystem::create_symlink(WORKER_PROGRAM, program + ".new");
  std::filesystem::rename(program + ".new", program);
  for (const pid_t worker : children_of(daemon->pid())) ::kill(worker, SIGKILL);
  expect_performed(job);
}

TEST_F(HeldJob, RTY_05_AJobInAQueueThatNoPoolListsIsHeldAndStartsWhenOneDoes) {
  configure();
  auto daemon = start_daemon();
  const auto job = enqueue(Count{"export"}, {.queue = "exports"});
  expect_held(job, JobReason::queue_without_pool);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  configure({.queues = R"("default", "exports")"});
  daemon = start_daemon();
  expect_performed(job);
}

TEST_F(HeldJob, RTY_05_WithoutAWorkerTheReasonIsThePools) {
  configure({.program = folder_ / "worker"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"early"});
  expect_held(job, JobReason::pool_without_worker);
  std::filesystem::create_symlink(WORKER_PROGRAM, folder_ / "worker");
  expect_performed(job);
}

TEST_F(HeldJob, RTY_05_AfterADispatcherThatWasKilledNothingIsSaid) {
  configure({.program = program_without_count()});
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"late"});
  expect_held(job, JobReason::kind_unknown);
  daemon->signal(SIGKILL);
  EXPECT_EQ(daemon->wait(), "signal 9");
  expect_state(job, ShownState::ready);
  EXPECT_EQ(seen(job).reason, JobReason::none);
}

TEST_F(HeldJob, AWorkerThatIsReadyIsALineWithItsQueuesAndKinds) {
  configure();
  const auto daemon = start_daemon();
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("worker.ready") != std::string::npos; }));
  const auto workers = children_of(daemon->pid());
  ASSERT_EQ(workers.size(), 1U);
  const std::string expected = "pid " + std::to_string(workers.front()) +
                               ", 2 slots, program version test 1; 1 queue: default; 16 kinds: test.count, ";
  EXPECT_NE(daemon->output().find(expected), std::string::npos) << daemon->output();
}

}  // namespace
}  // namespace tenure::testing
