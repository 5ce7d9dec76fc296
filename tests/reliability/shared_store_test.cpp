#include "reliability/board.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/database.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <vector>

// One database, several processes. What is measured are counts at one moment, never speeds.
namespace tenure::reliability {
namespace {

using sqlite::Access;
using sqlite::Connection;
using sqlite::Database;
using sqlite::Durability;
using sqlite::Query;

constexpr Query kSchema{"schema", "create table item(id integer primary key, process integer not null)"};
constexpr Query kInsert{"insert_item", "insert into item(process) values(?1)"};
constexpr Query kCount{"count_items", "select count(*) from item where process = ?1"};
constexpr Query kIntegrity{"integrity_check", "pragma integrity_check"};

class SharedStore : public ::testing::Test {
 protected:
  SharedStore() {
    Database database{file_, {.connection = {.access = Access::create}}};
    database.write(Durability::durable, [](Connection& connection) { connection.execute(kSchema); });
  }

  void start(const std::string& role, int number, const std::string& writes = "0") {
    std::vector<std::string> words{SHARED_STORE_PROCESS,   role,
                                   file_.string(),         (folder_ / "board").string(),
                                   std::to_string(number), writes};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t process = 0;
    ASSERT_EQ(::posix_spawn(&process, SHARED_STORE_PROCESS, nullptr, nullptr, arguments.data(), environ), 0);
    processes_.push_back(process);
  }
  void go() {
    while (board_->ready < static_cast<int>(processes_.size()) && board_->errors == 0)
      std::this_thread::yield();
    board_->go = true;
  }
  void join() {
    for (const pid_t process : processes_) {
      int status = -1;
      EXPECT_EQ(::waitpid(process, &status, 0), process);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(board_->errors, 0);
  }
  static std::int64_t rows_of(Database& database, int number) {
    std::int64_t rows = 0;
    database.read(
        [&](Connection& connection) { rows = connection.statement(kCount).bind(number).row().integer(0); });
    return rows;
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "control.db";
  SharedBoard board_{folder_ / "board"};
  std::vector<pid_t> processes_;
};

TEST_F(SharedStore, ENQ_07_ThreeProcessesShareTheStoreAndTheClaimerGoesOn) {
  constexpr int kProcesses = 3;
  constexpr int kClaimer = kProcesses;
  constexpr std::int64_t kWrites = 3000;
  for (int number = 0; number < kProcesses; ++number) start("enqueue", number, std::to_string(kWrites));
  start("claim", kClaimer);
  go();
  join();

  ASSERT_TRUE(board_->finished);
  std::int64_t total = 0;
  std::int64_t commits = 0;
  for (int number = 0; number < kProcesses; ++number) {
    total += board_->writes_then[number];
    commits += board_->commits_then[number];
  }
  for (int number = 0; number < kProcesses; ++number)
    EXPECT_GE(board_->writes_then[number], total / 5) << "process " << number << " of a total of " << total;
  // It stands in the same line as the three, so a sixth of the turns is less than its share.
  EXPECT_GE(board_->commits_then[kClaimer], commits / 6)
      << "claims beside " << commits << " commits of the others";
  std::printf("writes %ld %ld %ld, commits %ld %ld %ld, claims %ld\n", board_->writes_then[0],
              board_->writes_then[1], board_->writes_then[2], board_->commits_then[0],
              board_->commits_then[1], board_->commits_then[2], board_->commits_then[kClaimer]);

  Database database{file_, {}};
  for (int number = 0; number <= kClaimer; ++number)
    EXPECT_EQ(rows_of(database, number), board_->writes[number]);
  database.read(
      [](Connection& connection) { EXPECT_EQ(connection.statement(kIntegrity).row().text(0), "ok"); });
}

TEST_F(SharedStore, ENQ_16_OthersCommitWhileTheSyncOfOneProcessHangs) {
  constexpr int kHeld = 0;
  static constexpr int kOwn = 1;
  constexpr int kCommits = 20;
  start("held", kHeld);
  go();
  while (!board_->sync_held && board_->errors == 0) std::this_thread::yield();
  ASSERT_TRUE(board_->sync_held);
  Database database{file_, {.writer_queue = true}};
  for (int i = 0; i < kCommits; ++i)
    database.write(i % 2 == 0 ? Durability::durable : Durability::ordered,
                   [](Connection& connection) { connection.statement(kInsert).bind(kOwn).run(); });
  EXPECT_EQ(rows_of(database, kOwn), kCommits);
  EXPECT_EQ(rows_of(database, kHeld), 1) << "visible, though its caller has no answer yet";
  EXPECT_EQ(board_->writes[kHeld], 0) << "answered before its sync";
  board_->release_sync = true;
  join();
  EXPECT_EQ(board_->writes[kHeld], 1);
}

}  // namespace
}  // namespace tenure::reliability
