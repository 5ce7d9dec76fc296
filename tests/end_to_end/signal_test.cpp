#include "installation.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

using queue::ShownState;

class SignalTest : public Installation {
 protected:
  void configure_log_file() {
    configure({.slots = 1});
    std::ofstream(config_file(), std::ios::app) << "[log]\nfile = \"" << log().string() << "\"\n";
  }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "tenure.log"; }
  static bool has(const std::filesystem::path& file, const std::string& text) {
    std::ifstream stream(file);
    const std::string all{std::istreambuf_iterator<char>(stream), {}};
    return all.find(text) != std::string::npos;
  }
  static int count_of(const std::string& text, const std::filesystem::path& file) {
    std::ifstream stream(file);
    int count = 0;
    for (std::string line; std::getline(stream, line);) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }
  bool comes(const std::filesystem::path& file, const std::string& text) {
    return wait_until([&] { return has(file, text); });
  }
  // With SIGTERM pending from before the program's first instruction on: what comes earlier than any handler of its own.
  [[nodiscard]] std::unique_ptr<Process> start_with_pending_end(const std::string& program,
                                                                const std::filesystem::path& output) {
    const std::string line =
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {15}); "
        "os.kill(os.getpid(), 15); os.execv(sys.argv[1], sys.argv[1:])";
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/python3", "-c", line, program, "--config", config_file()}, output);
  }
};

TEST_F(SignalTest, AnEndThatIsAskedForBeforeTheStartIsOrderly) {
  configure();
  for (const char* program : {TENURED, WORKER_PROGRAM}) {
    const auto output = folder_ / "early.log";
    std::filesystem::remove(output);
    const auto daemon = start_with_pending_end(program, output);
    EXPECT_EQ(daemon->wait(), "exit 0") << program;
    EXPECT_TRUE(has(output, "daemon.stopping")) << program;
  }
}

TEST_F(SignalTest, STP_12_USR2LogsWhatEachSlotRuns) {
  configure();
  for (const bool is_alone : {false, true}) {
    const auto daemon = is_alone ? start_alone() : start_daemon();
    const auto says = [&](const std::string& text) {
      return wait_until([&] { return daemon->output().find(text) != std::string::npos; });
    };
    const auto job = enqueue(Wait{"described"});
    static_cast<void>(wait_for_start_of("described"));
    daemon->signal(SIGUSR2);
    EXPECT_TRUE(says("1 of 2 slots perform"));
    EXPECT_TRUE(says("takes jobs, performs 1 jobs in 2 slots"));
    EXPECT_TRUE(says("slot.performing"));
    const std::string lines = daemon->output();
    const std::string line = lines.substr(lines.find("slot.performing"));
    for (const std::string& text : {job.text(), std::string{"test.wait"}, std::string{"acme"}})
      EXPECT_NE(line.find(text), std::string::npos) << text << " is not in " << line;
    let_go("described");
    expect_state(job, ShownState::succeeded);
    std::filesystem::remove(folder_ / "go-described");
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->wait(), "exit 0");
  }
}

TEST_F(SignalTest, STP_12_TheLogIsOpenedAgainByTheDaemonAndItsWorkers) {
  configure_log_file();
  const auto daemon = start_daemon(false);
  ASSERT_TRUE(comes(log(), "daemon.started"));
  expect_state(enqueue(Throw{}), ShownState::dead);
  for (const int number : {SIGHUP, SIGUSR1}) {
    const auto moved = folder_ / ("moved-" + std::to_string(number));
    std::filesystem::rename(log(), moved);
    daemon->signal(number);
    ASSERT_TRUE(comes(log(), number == SIGHUP ? "configuration.reloaded" : "log.reopened"));
    expect_state(enqueue(Throw{}), ShownState::dead);
    EXPECT_TRUE(comes(log(), "job.failed")) << "of the worker process";
    EXPECT_TRUE(wait_until([&] { return is_alive(daemon->pid()); }));
  }
  EXPECT_FALSE(has(log(), "worker.exited"));
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

TEST_F(SignalTest, WithoutAFileThereIsNoLogToOpenAgain) {
  configure();
  const auto daemon = start_daemon();
  daemon->signal(SIGUSR1);
  EXPECT_TRUE(wait_until([&] {
    return daemon->output().find("lines go to standard error; nothing to reopen") != std::string::npos;
  })) << daemon->output();
}

TEST_F(SignalTest, WorkersDieOfNoSignalThatTheirDaemonDecidesAbout) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"work"});
  const pid_t worker = wait_for_start_of("work");
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT}) ::kill(worker, number);
  let_go("work");
  expect_state(job, ShownState::succeeded);
  EXPECT_TRUE(is_alive(worker));
  EXPECT_EQ(record(job).crashes, 0);
}

// Each run writes a line of its worker process, and the log is moved away again and again under them.
TEST_F(SignalTest, STP_12_NoLineIsLostWhereTheLogIsMovedAway) {
  configure_log_file();
  const auto daemon = start_daemon(false);
  ASSERT_TRUE(comes(log(), "daemon.started"));
  constexpr int kMoves = 5;
  constexpr int kJobs = 40;
  std::vector<queue::JobId> jobs;
  for (int move = 0; move < kMoves; ++move) {
    for (int job = 0; job < kJobs; ++job) jobs.push_back(enqueue(Throw{}));
    std::filesystem::rename(log(), folder_ / ("moved-" + std::to_string(move)));
    daemon->signal(SIGUSR1);
    ASSERT_TRUE(comes(log(), "log.reopened"));
  }
  for (const auto& job : jobs) expect_state(job, ShownState::dead);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  int lines = count_of("job.failed", log());
  for (int move = 0; move < kMoves; ++move)
    lines += count_of("job.failed", folder_ / ("moved-" + std::to_string(move)));
  EXPECT_EQ(lines, kMoves * kJobs);
}

TEST_F(SignalTest, STP_11_AWorkerThatIsToldToEndDrainsAndIsReplacedAndNothingIsCharged) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto running = enqueue(Wait{"running"});
  const pid_t worker = wait_for_start_of("running");
  ::kill(worker, SIGTERM);
  const auto next = enqueue(Wait{"next"});
  const pid_t successor = wait_for_start_of("next");
  EXPECT_NE(successor, worker);
  EXPECT_TRUE(is_alive(worker)) << "its job still runs";
  let_go("running");
  let_go("next");
  for (const auto& job : {running, next}) {
    expect_state(job, ShownState::succeeded);
    EXPECT_EQ(record(job).crashes, 0);
  }
  EXPECT_TRUE(wait_until([&] { return !is_alive(worker); }));
  EXPECT_EQ(children_of(daemon->pid()), std::vector{successor});
  EXPECT_NE(daemon->output().find("worker.told_to_end"), std::string::npos);
}

TEST_F(SignalTest, AStandAloneWorkerDiesOfNoneEither) {
  configure_log_file();
  Process worker({WORKER_PROGRAM, "--config", config_file()}, folder_ / "alone.log",
                 {"TENURE_CONFIG=" + config_file().string()});
  ASSERT_TRUE(comes(log(), "daemon.started"));
  worker.signal(SIGUSR2);
  ASSERT_TRUE(comes(log(), "daemon.described"));
  for (const int number : {SIGHUP, SIGUSR1}) {
    std::filesystem::rename(log(), folder_ / "moved");
    worker.signal(number);
    ASSERT_TRUE(comes(log(), number == SIGHUP ? "configuration.reloaded" : "log.reopened"));
  }
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
