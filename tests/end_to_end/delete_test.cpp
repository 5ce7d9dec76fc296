#include "tenant_files.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Tenants that an operator deletes, and takes back.
namespace tenure::testing {
namespace {

namespace fs = std::filesystem;

using queue::JobId;
using queue::ShownState;

class DeleteTest : public TenantFilesTest {
 protected:
  TenantState state() { return tenant().state; }
  std::optional<ErrorCode> refused_enqueue() {
    try {
      static_cast<void>(enqueue(Count{"late"}));
      return std::nullopt;
    } catch (const Error& error) {
      return error.failure().code;
    }
  }

  static constexpr sqlite::Query kWindowIsOver{"window_is_over",
                                               "update tenant_deletion set erase_us = 1 where step = 2"};
};

TEST_F(DeleteTest, REG_06_WhatWaitsIsCancelledWhatRunsEndsTheStampIsClosedAndTheTombstoneStays) {
  configure();
  auto daemon = start_daemon();
  const JobId runs = enqueue(Wait{.name = "runs"});
  const JobId obeys = enqueue(Wait{.name = "obeys", .obeys_stop = true});
  static_cast<void>(wait_for_start_of("runs"));
  static_cast<void>(wait_for_start_of("obeys"));
  const JobId waits = enqueue(Count{"waits"});
  Process deleting({TENURE_PROGRAM, "tenant", "delete", "acme", "--confirm", "acme", "--drain", "3s",
                    "--config", config_file()},
                   folder_ / "deleting");
  ASSERT_TRUE(wait_until([&] { return state() == TenantState::draining; }));
  EXPECT_EQ(refused_enqueue(), ErrorCode::tenant_not_ready);
  expect_state(waits, ShownState::cancelled);
  let_go("runs");
  expect_state(runs, ShownState::succeeded);
  EXPECT_TRUE(fs::exists(file())) << "one of them runs";
  expect_state(obeys, ShownState::cancelled);  // by its stop token, at the drain limit
  EXPECT_EQ(deleting.wait(), "exit 0") << deleting.output();
  EXPECT_NE(deleting.output().find("acme.1.db in the graveyard"), std::string::npos) << deleting.output();

  EXPECT_EQ(state(), TenantState::deleted);
  EXPECT_EQ(refused_enqueue(), ErrorCode::tenant_deleted);
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_EQ(rows_in(buried(1), "runs"), 1) << "what was done before is in the file that was moved";
  sqlite::Connection connection{buried(1), {}};
  const auto stamp = read_stamp(connection);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->state, TenantState::deleted);
  EXPECT_EQ(tenure({"tenant", "list"}), "exit 0");
  stop(*daemon);
}

TEST_F(DeleteTest, AProcessThatWasStoppedWithAnOpenHandleCommitsNothingAnyMore) {
  configure();
  Process ghost({GHOST, config_file()}, folder_ / "ghost");
  ASSERT_TRUE(wait_until([&] { return is_stopped(ghost.pid()); })) << ghost.output();
  ASSERT_EQ(tenure({"tenant", "delete", "acme", "--confirm", "acme"}), "exit 0") << output_;
  ASSERT_EQ(tenure({"tenant", "create", "acme"}), "exit 0") << output_;
  EXPECT_NE(output_.find("generation 2"), std::string::npos) << output_;
  const std::string before = bytes_of(file());
  ghost.signal(SIGCONT);
  EXPECT_EQ(ghost.wait(), "exit 0");
  const std::string said = ghost.output();
  EXPECT_NE(said.find("before: committed"), std::string::npos) << said;
  EXPECT_EQ(said.find("write: committed"), std::string::npos) << said;
  EXPECT_EQ(said.find("outbox: committed"), std::string::npos) << said;
  EXPECT_EQ(bytes_of(file()), before) << "and its end took nothing of the new tenant's with it";
  EXPECT_FALSE(fs::exists(file().string() + "-wal"));
  EXPECT_EQ(rows_in(buried(1), "before"), 1) << "what it had committed is kept";
  EXPECT_EQ(rows_in(buried(1), "after"), 0);
  EXPECT_EQ(rows_in(file(), "after"), 0);
}

TEST_F(DeleteTest, ReadOnlyAnOpenHandleOfAnotherProcessIsRefusedAndJobsWaitUntilItMayBeWritten) {
  configure();
  close_own();
  Process ghost({GHOST, config_file()}, folder_ / "ghost");
  ASSERT_TRUE(wait_until([&] { return is_stopped(ghost.pid()); })) << ghost.output();
  ASSERT_EQ(tenure({"tenant", "set", "acme", "read_only=true"}), "exit 0") << output_;
  ghost.signal(SIGCONT);
  EXPECT_EQ(ghost.wait(), "exit 0");
  const std::string said = ghost.output();
  EXPECT_NE(said.find("before: committed"), std::string::npos) << said;
  EXPECT_NE(said.find("write: TenantNotReady"), std::string::npos) << said;
  EXPECT_NE(said.find("outbox: TenantNotReady"), std::string::npos) << said;
  EXPECT_EQ(runs_of("before"), 1) << "reading goes on";

  auto daemon = start_daemon();
  const JobId waits = enqueue(Count{"waits"});
  const JobId beside{client().enqueue(Print{.text = "beside"}, {.untenanted = true})};
  expect_state(beside, ShownState::succeeded);
  EXPECT_EQ(record(waits).state, ShownState::held);
  EXPECT_EQ(record(waits).reason, queue::JobReason::tenant_read_only);
  ASSERT_EQ(tenure({"tenant", "set", "acme", "read_only=false"}), "exit 0") << output_;
  expect_state(waits, ShownState::succeeded);
  stop(*daemon);
}

TEST_F(DeleteTest, REG_18_TakenBackItHasItsDataAndANewGenerationAndBehindTheWindowItIsRefused) {
  configure();
  {
    auto daemon = start_daemon();
    expect_state(enqueue(Count{"kept"}), ShownState::succeeded);
    stop(*daemon);
  }
  close_own();
  ASSERT_EQ(tenure({"tenant", "delete", "acme", "--confirm", "acme"}), "exit 0") << output_;
  ASSERT_EQ(tenure({"tenant", "undelete", "acme", "--reason", "a mistake"}), "exit 0") << output_;
  EXPECT_NE(output_.find("generation 2"), std::string::npos) << output_;
  EXPECT_FALSE(fs::exists(buried(1)));
  EXPECT_EQ(runs_of("kept"), 1);
  auto daemon = start_daemon();
  expect_state(enqueue(Count{"more"}), ShownState::succeeded);
  EXPECT_EQ(runs_of("more"), 1);
  stop(*daemon);
  close_own();
  ASSERT_EQ(tenure({"tenant", "delete", "acme", "--confirm", "acme"}), "exit 0") << output_;
  sqlite::Connection connection{control(), {}};
  connection.execute(kWindowIsOver);
  EXPECT_EQ(tenure({"tenant", "undelete", "acme"}), "exit 1");
  EXPECT_NE(output_.find("could be taken back was over"), std::string::npos) << output_;
}

TEST_F(DeleteTest, KilledAtAnyWriteSyncOrRenameItGoesOnWithTheNextRun) {
  configure();
  close_own();
  const auto deletion = [](int) {
    return std::vector<std::string>{"tenant", "delete", "acme", "--confirm", "acme"};
  };
  const int killed = kill_everywhere(deletion, [&](int point) {
    const std::string again = tenure({"tenant", "delete", "acme", "--confirm", "acme"});
    const bool was_done = output_.find("TenantDeleted") != std::string::npos;
    ASSERT_TRUE(again == "exit 0" || was_done) << point << ": " << output_;
    ASSERT_FALSE(fs::exists(file())) << point;
    ASSERT_FALSE(fs::exists(file().string() + "-wal")) << point;
    ASSERT_TRUE(fs::exists(buried(point))) << point;
    ASSERT_EQ(tenure({"tenant", "create", "acme"}), "exit 0") << point << ": " << output_;
    ASSERT_EQ(tenure({"doctor", "stamps", "tenants"}), "exit 0") << point << ": " << output_;
  });
  EXPECT_GT(killed, 15);
  ASSERT_EQ(tenure({"tenant", "undelete", "acme"}), "exit 0") << output_;
}

}  // namespace
}  // namespace tenure::testing
