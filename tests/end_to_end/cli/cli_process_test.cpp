#include "support/process.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/system.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace tenure {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class CliProcess : public ::testing::Test {
 protected:
  CliProcess() {
    std::ofstream(config()) << "[store]\npath = \"%{config_dir}/control.db\"\n"
                               "[tenants]\npath = \"%{config_dir}/tenants/%{tenant}.db\"\n";
    std::filesystem::permissions(config(), std::filesystem::perms{0644});
    EXPECT_EQ(shell("\"$tenure\" tenant create acme"), "exit 0") << output_;
  }

  std::string config() const { return (folder_ / "tenure.toml").string(); }

  // A line of the shell in which "$tenure" is the program with its configuration; what it prints is in output_.
  std::string shell(const std::string& line) {
    std::filesystem::remove(folder_ / "output");  // it is appended to
    testing::Process process({"/bin/sh", "-c", "tenure='" TENURE_PROGRAM "'; " + line}, folder_ / "output",
                             {"TENURE_CONFIG=" + config()});
    const auto end = process.wait();
    output_ = process.output();
    return end.value_or("still running");
  }

  void add_dead_job() {
    const RealClock clock;
    const auto store = queue::open_sqlite_store({.path = folder_ / "control.db"}, clock);
    const auto now = clock.wall();
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      queue::NewJob job{.id = {*Uuid::parse("019cadff-0000-7000-8000-000000000001")},
                        .tenant = TenantName("acme"),
                        .generation = {},
                        .queue = "default",
                        .kind = "billing.close",
                        .priority = {},
                        .due = now,
                        .attempts_max = 3,
                        .arguments = "{}"};
      (void)value_or_raise(writer.enqueue(job, now));
      const auto incarnation = writer.open_incarnation(1, "app-1", 1, now);
      const queue::Lane lane = writer.reader().lanes(std::nullopt, 1).at(0);
      const auto reply = writer.claim({.queue = lane.queue,
                                       .priority = lane.priority,
                                       .tenant = lane.tenant,
                                       .kinds = {{lane.kind, std::nullopt}},
                                       .count = 1,
                                       .incarnation = incarnation,
                                       .first_counter = 1,
                                       .process = queue::ProcessNumber{1}},
                                      now);
      value_or_raise(writer.finish({reply.jobs.at(0).seq, reply.jobs.at(0).token}, queue::JobState::dead,
                                   queue::JobReason::permanent_error, {ErrorCode::handler_failed, "no"},
                                   now));
    });
  }

  testing::TemporaryFolder folder_;
  std::string output_;
};

TEST_F(CliProcess, CLI_02_WorksWithoutADaemonAndSendsAWakeHint) {
  add_dead_job();
  const int receiver = queue::bind_wake_receiver(folder_ / "control.db");
  EXPECT_EQ(shell("\"$tenure\" job retry state=dead --yes"), "exit 0");
  EXPECT_EQ(output_, "retried 1 job of 1 tenant\n");
  char byte = 0;
  EXPECT_EQ(::recv(receiver, &byte, 1, 0), 1);
  ::close(receiver);
  EXPECT_EQ(shell("\"$tenure\" job count state=ready"), "exit 0");
  EXPECT_EQ(output_, "1\n");
}

TEST_F(CliProcess, CLI_11_BadInput12_AFullOutputIsAFailure) {
  EXPECT_EQ(shell("\"$tenure\" tenant list > /dev/full"), "exit 1");
  EXPECT_THAT(output_, HasSubstr("standard output is closed or full"));
}

TEST_F(CliProcess, CLI_11_BadInput12_AClosedPipeIsAFailureAndNoSignal) {
  EXPECT_EQ(shell("mkfifo '" + (folder_ / "pipe").string() + "'; exec 3<> '" + (folder_ / "pipe").string() +
                  "'; exec 4> '" + (folder_ / "pipe").string() + "'; exec 3>&-; \"$tenure\" tenant list >&4"),
            "exit 1");
  EXPECT_THAT(output_, HasSubstr("standard output is closed or full"));
}

TEST_F(CliProcess, CLI_11_BadInput12_AClosedOutputNeverBecomesTheDatabase) {
  EXPECT_EQ(shell("\"$tenure\" tenant list >&-"), "exit 1");
  EXPECT_THAT(output_, HasSubstr("standard output is closed or full"));
  EXPECT_EQ(shell("\"$tenure\" tenant list <&- >&- 2>&-"), "exit 1");
  EXPECT_EQ(shell("\"$tenure\" tenant list --columns name"), "exit 0");  // the file is whole
  EXPECT_THAT(output_, HasSubstr("TENANT\nacme\n"));
}

// What has printed for the second time has waited before, and waits again.
TEST_F(CliProcess, WhatGoesOnForEverEndsCleanlyAtControlC) {
  testing::Process tail({TENURE_PROGRAM, "job", "tail"}, folder_ / "tail", {"TENURE_CONFIG=" + config()});
  ASSERT_TRUE(testing::wait_until([&] { return tail.output().find("following") != std::string::npos; }));
  add_dead_job();
  ASSERT_TRUE(testing::wait_until([&] { return tail.output().find("new -> ") != std::string::npos; }))
      << tail.output();
  tail.signal(SIGINT);
  EXPECT_EQ(tail.wait(), "exit 0");
  testing::Process watch({TENURE_PROGRAM, "job", "count", "--watch", "100ms"}, folder_ / "watch",
                         {"TENURE_CONFIG=" + config()});
  ASSERT_TRUE(testing::wait_until([&] { return watch.output().find("1\n\n1\n") != std::string::npos; }))
      << watch.output();
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), "exit 0");
}

TEST_F(CliProcess, WhatGoesOnForEverEndsWhereNobodyReadsItAnyMore) {
  EXPECT_EQ(shell("\"$tenure\" job tail | true"), "exit 0");
  EXPECT_EQ(shell("\"$tenure\" job count --watch 1h | head -n 1"), "exit 0");
}

TEST_F(CliProcess, BadInput13_AClosedOrStrangeInputMeansThatNobodyCanBeAsked) {
  add_dead_job();
  for (const char* input : {"<&-", "< /", "< /dev/null"}) {
    EXPECT_EQ(shell(std::string("\"$tenure\" job retry state=dead ") + input), "exit 2") << input;
    EXPECT_THAT(output_, HasSubstr("say --yes"));
  }
}

TEST_F(CliProcess, BadInput14_AnAbsurdEnvironmentChangesNothing) {
  EXPECT_EQ(
      shell("HOME= TZ=Nowhere/At_All LANG=xx_XX.none LC_ALL=absurd COLUMNS=0 TERM= \"$tenure\" tenant list"),
      "exit 0");
  EXPECT_EQ(shell("unset HOME TZ LANG PATH; \"$tenure\" tenant list"), "exit 0");
}

TEST_F(CliProcess, BadInput15_StrangePathsOfTheStoreAreRefused) {
  const std::string name = (folder_ / "x").string();
  EXPECT_EQ(shell("\"$tenure\" job list --store '" + name + "'"), "exit 69");
  EXPECT_THAT(output_, HasSubstr("there is no control database"));
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_EQ(shell("ln -s x '" + name + "'; \"$tenure\" job list --store '" + name + "'"), "exit 78");
  EXPECT_EQ(shell("\"$tenure\" job list --store '" + folder_.path().string() + "'"), "exit 78");
  EXPECT_EQ(shell("\"$tenure\" job list --store '" + (folder_ / std::string(200, 'a')).string() + "'"),
            "exit 69");
  EXPECT_EQ(shell("echo text > '" + name + "2'; \"$tenure\" job list --store '" + name + "2'"), "exit 65");
}

TEST_F(CliProcess, AFolderThatIsGoneIsABadConfiguration) {
  const std::string gone = "mkdir '" + (folder_ / "gone").string() + "'; cd '" + (folder_ / "gone").string() +
                           "'; rmdir '" + (folder_ / "gone").string() + "'; ";
  EXPECT_EQ(shell(gone + "\"$tenure\" job list --config t.toml"), "exit 78");
  EXPECT_THAT(output_, HasSubstr("which cannot be told"));
  EXPECT_EQ(shell(gone + "\"$tenure\" job list --store c.db"), "exit 78");
  EXPECT_THAT(output_, HasSubstr("which cannot be told"));
}

TEST_F(CliProcess, WithoutDescriptorsTheEndIsAnExitCodeAndALine) {
  if (testing::kIsSanitized) GTEST_SKIP() << "not run here: a sanitizer needs descriptors of its own";
  bool is_done = false;
  for (int limit = 4; limit < 32 && !is_done; ++limit) {
    const std::string end = shell("ulimit -n " + std::to_string(limit) + "; exec \"$tenure\" job list");
    is_done = end == "exit 0";
    EXPECT_TRUE(is_done || end == "exit 69" || end == "exit 75" || end == "exit 78" || end == "exit 127")
        << limit << ": " << end;
    EXPECT_NE(output_, "");
  }
  EXPECT_TRUE(is_done);
}

// As after a kill -9: SQLite tells of what it recovers.
TEST_F(CliProcess, CLI_01_WithJsonStandardErrorIsEmptyOverALogThatIsRecovered) {
  const RealClock clock;
  const auto store = queue::open_sqlite_store({.path = folder_ / "control.db"}, clock);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    (void)writer.open_incarnation(1, "app-1", 1, clock.wall());
  });
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::copy_file((folder_ / "control.db").string() + end, (folder_ / "left.db").string() + end);
  EXPECT_EQ(
      shell("\"$tenure\" job count --json --store '" + (folder_ / "left.db").string() + "' > /dev/null"),
      "exit 0");
  EXPECT_EQ(output_, "");
}

TEST_F(CliProcess, StoreShowSaysWhetherADispatcherIsSeenToRun) {
  add_dead_job();
  EXPECT_EQ(shell("\"$tenure\" store show"), "exit 0");
  EXPECT_THAT(output_,
              ContainsRegex("holder   last pid 1 on app-1, started .*; no dispatcher is seen to run\n"));
  const Descriptor lock{::open(queue::dispatcher_lock_path(folder_ / "control.db").c_str(),
                               O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
  ASSERT_EQ(lock_file(lock.number(), WhenLocked::give_up), 0);
  EXPECT_EQ(shell("\"$tenure\" store show"), "exit 0");
  EXPECT_THAT(output_, ContainsRegex("holder   pid 1 on app-1, started [^;]*\n"));
}

TEST_F(CliProcess, AVariableThatIsNearlyASettingIsNamedAndThoseOfOthersAreNot) {
  EXPECT_EQ(shell("TENURE_STORE_PTH=/x TENURE_SERVICE_HOST=10.0.0.1 \"$tenure\" job count"), "exit 0");
  EXPECT_EQ(output_,
            "tenure: TENURE_STORE_PTH: the variable names no setting and is ignored; did you mean "
            "TENURE_STORE_PATH?\n0\n");
  EXPECT_EQ(shell("TENURE_STORE_PTH=/x \"$tenure\" job count --quiet"), "exit 0");
  EXPECT_EQ(output_, "0\n");
  std::ofstream(config(), std::ios::app) << "[[pool]]\nname = \"general\"\nprogram = \"/bin/true\"\n";
  EXPECT_EQ(shell("TENURE_DEPS=skip \"$tenure\" config check"), "exit 0");
  EXPECT_THAT(output_, HasSubstr("warn  environment: no settings, and ignored: TENURE_DEPS\n"));
}

class WakeHintPath : public ::testing::TestWithParam<std::size_t> {};

// The length of the folder's name, so that the socket's path fits into an address or does not.
TEST_P(WakeHintPath, ArrivesWhateverTheLengthOfThePath) {
  const testing::TemporaryFolder folder;
  const auto control = folder.path() / std::string(GetParam(), 'd') / "control.db";
  std::filesystem::create_directory(control.parent_path());
  for (int life = 0; life < 2; ++life) {  // the second one finds the socket that the first has left
    const int receiver = queue::bind_wake_receiver(control);
    char byte = 0;
    EXPECT_EQ(::recv(receiver, &byte, 1, 0), -1);                     // nothing yet, and no waiting
    for (int i = 0; i < 10'000; ++i) queue::send_wake_hint(control);  // far more than a queue holds
    EXPECT_EQ(::recv(receiver, &byte, 1, 0), 1);
    ::close(receiver);
    queue::send_wake_hint(control);  // to nobody
  }
}
INSTANTIATE_TEST_SUITE_P(Lengths, WakeHintPath, ::testing::Values(1U, 60U, 90U, 120U, 200U));

TEST(WakeHintAlone, NeverComplainsAndNeverReplacesWhatIsNoSocket) {
  const testing::TemporaryFolder folder;
  queue::send_wake_hint("");
  queue::send_wake_hint(folder / "none/control.db");
  queue::send_wake_hint(folder / std::string(200, 'c'));
  std::ofstream(folder / "control.db-wake") << "mine";
  queue::send_wake_hint(folder / "control.db");
  EXPECT_THROW((void)queue::bind_wake_receiver(folder / "control.db"), DiskError);
  EXPECT_TRUE(std::filesystem::is_regular_file(folder / "control.db-wake"));
  EXPECT_THROW((void)queue::bind_wake_receiver(folder / std::string(200, 'c')), DiskError);
}

}  // namespace
}  // namespace tenure
