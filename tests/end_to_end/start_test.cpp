#include "installation.hpp"
#include "support/sanitized.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::testing {
namespace {

using queue::ShownState;

using Start = Installation;

TEST_F(Start, PerformsAJobOfAnotherProcessInItsTenant) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"one"});
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("one"), 1);
}

TEST_F(Start, ENQ_05_JobsEnqueuedWithTheDaemonDownStartWhenItComes) {
  configure();
  const auto job = enqueue(Count{"early"});
  const auto daemon = start_daemon();
  expect_state(job, ShownState::succeeded);
}

TEST_F(Start, ENQ_12_ALostWakeHintOnlyDelays) {
  configure();
  const auto daemon = start_daemon();
  // Without the socket's file no hint can arrive; the dispatcher's own look finds the job.
  ASSERT_TRUE(std::filesystem::remove(control().string() + "-wake"));
  expect_state(enqueue(Count{"unhinted"}), ShownState::succeeded);
}

TEST_F(Start, AFailureIsRecordedWithItsError) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Throw{});
  expect_state(job, ShownState::dead);
  ASSERT_EQ(attempts(job).size(), 1U);
  EXPECT_EQ(attempts(job)[0].outcome, queue::AttemptOutcome::failed);
  EXPECT_NE(attempts(job)[0].error.find("as asked"), std::string::npos);
}

TEST_F(Start, ALogThatCannotBeOpenedIsNotTriedAgain) {
  configure();
  std::ofstream(folder_ / "tenure.toml", std::ios::app)
      << "[log]\nfile = \"" << folder_.path().string() << "\"\n";
  const auto daemon = start_daemon(false);
  EXPECT_EQ(daemon->wait(), "exit 78");
  EXPECT_NE(daemon->output().find("tenured: BadConfiguration: log.file: the log file cannot be opened"),
            std::string::npos)
      << daemon->output();
}

TEST_F(Start, LSE_13_ASecondDaemonExitsNamingTheHolder) {
  configure({.when_held = "exit"});
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  EXPECT_EQ(second->wait(), "exit 75");
  EXPECT_NE(second->output().find(std::to_string(first->pid()) + " (tenured)"), std::string::npos)
      << second->output();
}

TEST_F(Start, LSE_13_ASecondDaemonStandsByAndTakesOver) {
  configure();
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  ASSERT_TRUE(wait_until([&] { return second->output().find("daemon.standing_by") != std::string::npos; }));
  first->signal(SIGKILL);
  ASSERT_EQ(first->wait(), "signal 9");
  expect_state(enqueue(Count{"after"}), ShownState::succeeded);
}

TEST_F(Start, ADaemonThatIsToldToStopWhileItStandsBySaysThatItHasStopped) {
  configure();
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  ASSERT_TRUE(wait_until([&] { return second->output().find("daemon.standing_by") != std::string::npos; }));
  second->signal(SIGTERM);
  EXPECT_EQ(second->wait(), "exit 0");
  EXPECT_NE(second->output().find("daemon.stopped"), std::string::npos) << second->output();
}

TEST_F(Start, RUN_15_AMissingWorkerProgramIsNamedAndTriedAgain) {
  configure({.program = folder_ / "worker"});
  const auto daemon = start_daemon();
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("cannot start") != std::string::npos; }))
      << daemon->output();
  const auto job = enqueue(Count{"late"});
  std::filesystem::create_symlink(WORKER_PROGRAM, folder_ / "worker");
  expect_state(job, ShownState::succeeded);
}

// Runs a line of the shell in the test's folder, in which "$tenured" and "$worker" are the programs.
class StartByShell : public Start {
 protected:
  [[nodiscard]] std::unique_ptr<Process> shell(const std::string& line) {
    std::filesystem::remove(output_);
    return std::make_unique<Process>(
        std::vector<std::string>{"/bin/sh", "-c",
                                 "cd '" + folder_.path().string() +
                                     "'; tenured='" TENURED "'; worker='" WORKER_PROGRAM "'; " + line},
        output_, std::vector<std::string>{"TENURE_CONFIG=" + config_file().string()});
  }

 private:
  std::filesystem::path output_ = folder_ / "shell.log";
};

TEST_F(StartByShell, AFileNamedFromAFolderThatIsGoneIsABadConfiguration) {
  for (const char* program : {R"("$tenured")", R"("$worker")"}) {
    const auto start =
        shell("mkdir gone; cd gone; rmdir ../gone; exec " + std::string(program) + " --config t.toml");
    EXPECT_EQ(start->wait(), "exit 78") << program;
    EXPECT_NE(start->output().find("t.toml: the file is named from the working folder on"), std::string::npos)
        << start->output();
  }
}

TEST_F(StartByShell, WithoutADataFolderOrAConfigurationItSaysWhatToMake) {
  configure();
  for (const char* program : {R"("$tenured")", R"("$worker")"}) {
    const auto missing = shell("TENURE_STORE_PATH=/nowhere/control.db exec " + std::string(program));
    EXPECT_EQ(missing->wait(), "exit 69") << program;
    EXPECT_NE(missing->output().find("there is no folder /nowhere for the control database; make it"),
              std::string::npos)
        << missing->output();
    if (std::filesystem::exists("/etc/tenure/tenure.toml")) continue;
    const auto bare = shell("TENURE_CONFIG= exec " + std::string(program));
    EXPECT_EQ(bare->wait(), "exit 78") << program;
    EXPECT_NE(bare->output().find("there is no configuration: name one with --config FILE or TENURE_CONFIG"),
              std::string::npos)
        << bare->output();
  }
}

TEST_F(StartByShell, AWorkerProgramThatHasADatabaseOpenIsToldToCloseIt) {
  configure();
  const auto worker =
      shell("TENURE_CONFIG=" + config_file().string() + " WITH_OPEN_CLIENT=1 exec \"$worker\"");
  EXPECT_EQ(worker->wait(), "exit 78");
  EXPECT_NE(worker->output().find("worker_main was called while this process has"), std::string::npos)
      << worker->output();
}

// Wherever the start finds no descriptor left.
TEST_F(StartByShell, WithoutDescriptorsTheEndIsAnExitCodeAndALine) {
  if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer needs descriptors of its own";
  configure();
  constexpr int kEnough = 64;
  for (const char* program : {R"("$tenured")", R"("$worker")"}) {
    bool is_up = false;
    for (int limit = 4; limit < kEnough && !is_up; ++limit) {
      const auto start = shell("ulimit -n " + std::to_string(limit) + "; exec " + program);
      ASSERT_TRUE(wait_until([&] {
        is_up = start->output().find("daemon.started") != std::string::npos;
        return is_up || !is_alive(start->pid());
      }));
      if (is_up) continue;
      const std::string end = start->wait().value_or("still running");
      EXPECT_TRUE(end == "exit 69" || end == "exit 75" || end == "exit 78" || end == "exit 127")
          << limit << ": " << end;
      EXPECT_NE(start->output(), "");
    }
    EXPECT_TRUE(is_up);
  }
}

TEST_F(StartByShell, VariablesOfOthersAreOneWarningAndStopNothing) {
  configure();
  const auto start = shell("TENURE_DEPS=skip TENURE_SERVICE_HOST=10.0.0.1 exec \"$tenured\"");
  expect_state(enqueue(Count{"one"}), ShownState::succeeded);
  const std::string output = start->output();
  const std::size_t first = output.find("configuration.warning");
  ASSERT_NE(first, std::string::npos) << output;
  EXPECT_EQ(output.find("configuration.warning", first + 1), std::string::npos) << output;
  EXPECT_NE(output.find("TENURE_SERVICE_HOST"), std::string::npos);
}

TEST_F(StartByShell, StandardDescriptorsThatAreClosedAreNoneOfOurs) {
  configure();
  for (const char* program : {R"("$tenured")", R"("$worker")"}) {
    const auto start = shell("exec 0<&- 1>&- 2>&-; exec " + std::string(program));
    const auto job = enqueue(Wait{"held"});
    const pid_t worker = wait_for_start_of("held");
    const auto open_in = [](pid_t process, const std::string& number) {
      return std::filesystem::read_symlink("/proc/" + std::to_string(process) + "/fd/" + number).string();
    };
    for (const char* number : {"0", "1", "2"})
      EXPECT_EQ(open_in(start->pid(), number), "/dev/null") << program;
    // What a worker process prints is read by its daemon.
    EXPECT_EQ(open_in(worker, "0"), "/dev/null");
    for (const char* number : {"1", "2"})
      EXPECT_EQ(open_in(worker, number).substr(0, 5), worker == start->pid() ? "/dev/" : "pipe:") << program;
    let_go("held");
    expect_state(job, ShownState::succeeded);
    start->signal(SIGTERM);
    EXPECT_EQ(start->wait(), "exit 0");
    std::filesystem::remove(folder_ / "go-held");
  }
}

TEST_F(Start, WhatRootMakesBelongsToTheOwnerOfTheDataFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can make files for others";
  constexpr uid_t kService = 4711;
  const mode_t before = ::umask(077);
  ASSERT_EQ(::chown(folder_.path().c_str(), kService, kService), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 02750), 0);
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"one"}), ShownState::succeeded);
  int looked_at = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    const std::string path = entry.path().lexically_relative(folder_.path());
    if (!path.starts_with("control.db") && !path.starts_with("tenants")) continue;
    struct stat status {};
    ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, kService) << path;
    EXPECT_EQ(status.st_gid, kService) << path;
    EXPECT_EQ(status.st_mode & 07777, entry.is_directory() ? 02750U : 0660U) << path;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 9);
  ::umask(before);
}

TEST_F(Start, LogLinesNameTheMachine) {
  configure();
  const auto daemon = start_daemon();
  expect_state(enqueue(Throw{}), ShownState::dead);
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("job.failed") != std::string::npos; }));
  std::istringstream lines(daemon->output());
  for (std::string line; std::getline(lines, line);)
    EXPECT_NE(line.find("\"node\":\""), std::string::npos) << line;
}

TEST_F(Start, HND_16_WorkersInheritTheLockAndTheSocketOnly) {
  configure();
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"held"});
  const pid_t worker = wait_for_start_of("held");
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(worker) + "/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    EXPECT_FALSE(target == control() || target == control().string() + "-wal" ||
                 target == control().string() + "-shm")
        << target;
    if (target != control().string() + "-dispatcher") continue;
    std::ifstream info("/proc/" + std::to_string(worker) + "/fdinfo/" + entry.path().filename().string());
    std::string word;
    while (info >> word && word != "flags:") {
    }
    info >> word;
    EXPECT_NE(std::stoul(word, nullptr, 8) & 02000000UL, 0UL) << "not close-on-exec";
  }
  let_go("held");
  expect_state(job, ShownState::succeeded);
}

}  // namespace
}  // namespace tenure::testing
