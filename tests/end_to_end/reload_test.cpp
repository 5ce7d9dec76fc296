#include "installation.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

using queue::ShownState;

class ReloadTest : public Installation {
 protected:
  void append(const std::string& text) { std::ofstream(config_file(), std::ios::app) << text; }
  static bool says(const Process& daemon, const std::string& text) {
    return wait_until([&] { return daemon.output().find(text) != std::string::npos; });
  }
  [[nodiscard]] std::string own_program() const { return folder_ / "worker"; }
  // Another file under the program's name, as a deploy puts it there.
  void deploy() const {
    const std::filesystem::path fresh = folder_ / "worker.new";
    std::filesystem::copy_file(WORKER_PROGRAM, fresh);
    std::filesystem::rename(fresh, own_program());
  }
  static void restart_worker_of(const Process& daemon) {
    const pid_t worker = children_of(daemon.pid()).at(0);
    ::kill(worker, SIGTERM);
    EXPECT_TRUE(wait_until([&] { return !is_alive(worker); }));
  }
  // What a child of the job gets of the configuration.
  [[nodiscard]] std::string environment_of_a_job() {
    expect_state(enqueue(Meddle{"children_environment"}), ShownState::succeeded);
    std::ifstream file(folder_ / "environment");
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(ReloadTest, STP_10_ANewProgramTakesThePlacesWhileRunningJobsEndInTheOldOne) {
  deploy();
  configure({.processes = 2, .slots = 1, .program = own_program()});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"old"});
  const pid_t old = wait_for_start_of("old");
  const auto before = children_of(daemon->pid());
  deploy();
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "configuration.reloaded"));
  EXPECT_TRUE(wait_until([&] {
    const auto now = children_of(daemon->pid());
    const auto of_before =
        std::ranges::count_if(now, [&](pid_t pid) { return std::ranges::find(before, pid) != before.end(); });
    return now.size() == 3 && of_before == 1 && std::ranges::find(now, old) != now.end();
  })) << "the one that performs stays beside two new ones";
  let_go("old");
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(attempts(job).size(), 0U) << "a run that succeeded needs none";
  EXPECT_TRUE(wait_until([&] { return !is_alive(old) && children_of(daemon->pid()).size() == 2; }));
}

TEST_F(ReloadTest, STP_10_WithoutANewProgramNoProcessIsReplaced) {
  configure({.processes = 2});
  const auto daemon = start_daemon();
  static_cast<void>(environment_of_a_job());  // by then both have been started
  const auto before = children_of(daemon->pid());
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "nothing in it is different"));
  static_cast<void>(environment_of_a_job());
  EXPECT_EQ(children_of(daemon->pid()), before);
}

TEST_F(ReloadTest, STP_09_ValidSettingsApplyWithoutInterruptingAJob) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  const auto job = enqueue(Wait{"running"});
  const pid_t worker = wait_for_start_of("running");
  configure({.processes = 2, .slots = 1, .stop_deadline = "1s"});
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "taken over: daemon.stop_deadline, pool.processes of general"));
  const auto second = enqueue(Wait{"second"});
  EXPECT_NE(wait_for_start_of("second"), worker);
  EXPECT_TRUE(is_alive(worker));
  let_go("second");
  expect_state(second, ShownState::succeeded);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(std::chrono::seconds{15}), "exit 0")
      << "by the new deadline, and not by the 25 s before";
  expect_state(job, ShownState::ready);
}

TEST_F(ReloadTest, WhomAPoolTakesAndWhatItKeepsAreTakenOverByAReload) {
  configure({.slots = 2, .more = "tenants = [\"!acme\"]\n"});
  const auto daemon = start_daemon();
  const auto job = enqueue(Count{"held"});
  EXPECT_TRUE(wait_until([&] { return record(job).reason == queue::JobReason::tenant_without_pool; }));
  configure({.slots = 2,
             .more = "tenants = [\"acme\"]\nreserved = [{ priority = -10, slots = 1 }]\n"
                     "[retention]\nsucceeded = \"2d\"\n"});
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "pool.reserved of general"));
  EXPECT_TRUE(says(*daemon, "pool.tenants of general"));
  EXPECT_TRUE(says(*daemon, "retention.succeeded"));
  expect_state(job, ShownState::succeeded);
  const auto waits = enqueue(Wait{"first"});
  static_cast<void>(wait_for_start_of("first"));
  const auto kept_from = enqueue(Count{"second"});
  EXPECT_EQ(tenure({"why", kept_from.text()}), "exit 0");
  EXPECT_THAT(output_, ::testing::HasSubstr("(slots_reserved)"));
  expect_state(enqueue(Count{"urgent"}, {.priority = -10}), ShownState::succeeded);
  let_go("first");
  expect_state(waits, ShownState::succeeded);
  expect_state(kept_from, ShownState::succeeded);
}

TEST_F(ReloadTest, STP_09_InvalidOnesAreRefusedWholeAndTheLogNamesTheKey) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  configure({.processes = 5, .slots = 1});
  append("[log]\nlevl = \"info\"\n");
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "configuration.refused"));
  EXPECT_NE(daemon->output().find("log.levl is no setting"), std::string::npos) << daemon->output();
  static_cast<void>(environment_of_a_job());
  EXPECT_EQ(children_of(daemon->pid()).size(), 1U) << "nothing of it is in force";
}

TEST_F(ReloadTest, STP_09_ALogThatCannotBeOpenedRefusesAllOfIt) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  static_cast<void>(environment_of_a_job());
  configure({.processes = 3, .slots = 1});
  const auto log = folder_ / "tenure.log";
  std::filesystem::create_directory(log);
  append("[log]\nfile = \"" + log.string() + "\"\n");
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "configuration.refused"));
  static_cast<void>(environment_of_a_job());
  EXPECT_EQ(children_of(daemon->pid()).size(), 1U);
  std::filesystem::remove(log);
  daemon->signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return children_of(daemon->pid()).size() == 3; }))
      << "asked again, it is all new";
}

// A process that starts later works by what is in force, and not by what the file says.
TEST_F(ReloadTest, STP_09_WhatWaitsForTheNextStartIsNamedAndHoldsForNewProcessesToo) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::ifstream file(config_file());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  file.close();
  const std::string name = "/%{tenant}.db";
  text.replace(text.find(name), name.size(), "/elsewhere-%{tenant}.db");
  std::ofstream(config_file()) << text;
  daemon->signal(SIGHUP);
  ASSERT_TRUE(says(*daemon, "configuration.waits"));
  EXPECT_NE(daemon->output().find("from the next start on: tenants.path"), std::string::npos)
      << daemon->output();
  restart_worker_of(*daemon);
  expect_state(enqueue(Count{"after"}), ShownState::succeeded);
  EXPECT_EQ(runs_of("before") + runs_of("after"), 2) << "both in the file that acme has";
}

TEST_F(ReloadTest, AFileThatIsEditedToNonsenseStopsNoProcessFromStarting) {
  configure({.slots = 1});
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::ofstream(config_file()) << "nonsense";
  restart_worker_of(*daemon);
  static_cast<void>(environment_of_a_job());
}

TEST_F(ReloadTest, WhoStandsByReadsAllOfItAgain) {
  configure({.processes = 1, .slots = 1});
  const auto first = start_daemon();
  const auto second = start_daemon(false);
  ASSERT_TRUE(says(*second, "daemon.standing_by"));
  configure({.processes = 3, .slots = 1});
  second->signal(SIGHUP);
  ASSERT_TRUE(says(*second, "configuration.reloaded"));
  append("[nonsense]\n");
  second->signal(SIGHUP);
  ASSERT_TRUE(says(*second, "configuration.refused"));
  configure({.processes = 3, .slots = 1});
  first->signal(SIGTERM);
  EXPECT_EQ(first->wait(), "exit 0");
  EXPECT_TRUE(wait_until([&] { return children_of(second->pid()).size() == 3; }));
}

}  // namespace
}  // namespace tenure::testing
