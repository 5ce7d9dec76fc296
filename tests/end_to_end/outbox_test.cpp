#include "installation.hpp"

#include <csignal>
#include <string>
#include <vector>

namespace tenure::testing {
namespace {

using queue::JobReader;
using queue::ShownState;

class OutboxTest : public Installation {
 protected:
  // An application commits so many jobs in a transaction of acme, and is killed before it has brought them.
  void leave_rows(int count) {
    const std::size_t before = jobs().size();
    Process application({OUTBOX_WRITER, config_file().string(), std::to_string(count)},
                        folder_ / "application");
    ASSERT_EQ(application.wait(), "signal 9") << application.output();
    ASSERT_EQ(jobs().size(), before);
  }
  // With nobody who has it open, and so in one file.
  void put(const std::filesystem::path& from, const std::filesystem::path& to) {
    ASSERT_FALSE(std::filesystem::exists(database_.string() + "-wal"));
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  }
  // One job comes out of acme's database, by the sweep.
  void bring_one() {
    const std::size_t before = jobs().size();
    leave_rows(1);
    start();
    EXPECT_TRUE(wait_until([&] { return jobs().size() == before + 1; })) << daemon_->output();
  }
  void start() { daemon_ = start_daemon(); }
  void stop() {
    daemon_->signal(SIGTERM);
    ASSERT_EQ(daemon_->wait(), "exit 0");
  }
  std::vector<queue::JobRecord> jobs() {
    std::vector<queue::JobRecord> jobs;
    store().read([&](JobReader& reader) {
      jobs = reader.list_jobs({}, {.order = queue::ListOrder::oldest_first}, {}).jobs;
    });
    return jobs;
  }

  const std::filesystem::path database_ = folder_ / "tenants/acme.db";
  std::unique_ptr<Process> daemon_;
};

TEST_F(OutboxTest, OBX_02_AfterAKillBetweenCommitAndRelayTheJobsAreThereOnceWithNoWorkerUp) {
  configure({.program = "/bin/false"});
  leave_rows(2);
  auto daemon = start_daemon();
  EXPECT_TRUE(wait_until([&] { return jobs().size() == 2; }, std::chrono::seconds{2})) << daemon->output();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");

  configure();
  daemon = start_daemon();
  for (const queue::JobRecord& job : jobs()) expect_state(job.id, ShownState::succeeded);
  EXPECT_EQ(jobs().size(), 2U);
  EXPECT_EQ(runs_of("left-0"), 1);
  EXPECT_EQ(runs_of("left-1"), 1);
}

TEST_F(OutboxTest, OBX_11_ARelayerThatWasStoppedUntilTheJobsHadRunAndWereRemovedBringsNothing) {
  configure();
  leave_rows(2);
  Process relayer({OUTBOX_RELAYER, config_file().string(), control().string()}, folder_ / "relayer");
  ASSERT_TRUE(wait_until([&] { return is_stopped(relayer.pid()); })) << relayer.output();
  ASSERT_TRUE(jobs().empty());

  start();
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") + runs_of("left-1") == 2; })) << daemon_->output();
  const std::vector<queue::JobRecord> performed = jobs();
  const queue::JobId last = enqueue(Count{"behind them"});  // the newest job cannot be removed
  expect_state(last, ShownState::succeeded);
  for (const queue::JobRecord& job : performed) {
    expect_state(job.id, ShownState::succeeded);
    EXPECT_EQ(tenure({"job", "delete", job.id.text(), "--yes"}), "exit 0") << output_;
  }
  relayer.signal(SIGCONT);
  EXPECT_EQ(relayer.wait(), "exit 0");
  EXPECT_EQ(relayer.output(), "inserted 0 existed 0\n");
  ASSERT_EQ(jobs().size(), 1U);
  EXPECT_EQ(jobs().front().id, last);
  EXPECT_EQ(runs_of("left-0") + runs_of("left-1"), 2);
}

TEST_F(OutboxTest, OBX_16_AnOlderCopyPutBackByHandFailsItsTenantUntilTheRightOneIsThere) {
  configure({.program = "/bin/false"});
  bring_one();
  stop();
  put(database_, folder_ / "older.db");
  bring_one();
  stop();
  put(database_, folder_ / "right.db");
  put(folder_ / "older.db", database_);

  start();
  EXPECT_TRUE(wait_until([&] { return tenure({"doctor", "tenants"}) == "exit 1"; })) << daemon_->output();
  EXPECT_NE(output_.find("acme is failed: file_behind: "), std::string::npos) << output_;
  // The line is written behind the commit that the doctor has seen.
  EXPECT_TRUE(wait_until([&] { return daemon_->output().find("outbox.file_behind") != std::string::npos; }));
  EXPECT_EQ(tenure({"tenant", "show", "acme"}), "exit 0");
  EXPECT_NE(output_.find("file_behind"), std::string::npos) << output_;
  EXPECT_EQ(tenure({"why", jobs().front().id.text()}), "exit 0");
  EXPECT_NE(output_.find("file_behind"), std::string::npos) << output_;
  EXPECT_EQ(tenure({"tenant", "recheck", "acme"}), "exit 1") << output_;
  EXPECT_THROW(static_cast<void>(client().tenants().open(TenantName{"acme"})), TenantNotReady);
  stop();

  put(folder_ / "right.db", database_);
  start();
  EXPECT_EQ(tenure({"tenant", "recheck", "acme", "--reason", "the right one"}), "exit 0") << output_;
  stop();
  bring_one();
  EXPECT_EQ(jobs().size(), 3U);
}

TEST_F(OutboxTest, WhatAnApplicationLeavesWhileTheDaemonRunsIsPerformed) {
  configure();
  const auto daemon = start_daemon();
  // Where the daemon is quicker than it, it has nothing left to do and is not killed.
  Process application({OUTBOX_WRITER, config_file().string(), "1"}, folder_ / "application");
  EXPECT_TRUE(application.wait());
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") == 1; })) << daemon->output();
}

TEST_F(OutboxTest, AWorkerProgramByHandSweepsToo) {
  configure();
  leave_rows(1);
  const auto alone = start_alone();
  EXPECT_TRUE(wait_until([&] { return runs_of("left-0") == 1; })) << alone->output();
}

}  // namespace
}  // namespace tenure::testing
