#include "items.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

class ConnectionTest : public ::testing::Test {
 protected:
  [[nodiscard]] Connection create(const std::string& name = "a.db") const {
    return Connection{folder_ / name, {.access = Access::create}};
  }
  static int mode_of(const fs::path& path) { return static_cast<int>(fs::status(path).permissions()) & 0777; }

  tenure::testing::TemporaryFolder folder_;
};

std::string pragma(const Connection& connection, const std::string& name) {
  std::string value;
  sqlite3_exec(
      connection.native(), ("pragma " + name).c_str(),
      [](void* result, int, char** row, char**) {
        *static_cast<std::string*>(result) = row[0];
        return 0;
      },
      &value, nullptr);
  return value;
}

int switch_of(const Connection& connection, int option) {
  int value = -1;
  sqlite3_db_config(connection.native(), option, -1, &value);
  return value;
}

TEST_F(ConnectionTest, HND_15_EveryConnectionHasItsSettings) {
  const Connection creator{folder_ / "a.db", {.access = Access::create, .secure_delete = true}};
  const Connection writer{folder_ / "a.db", {.secure_delete = true}};
  const Connection reader{folder_ / "a.db", {.access = Access::read_only, .secure_delete = true}};
  for (const Connection* connection : {&creator, &writer, &reader}) {
    EXPECT_EQ(pragma(*connection, "journal_mode"), "wal");
    EXPECT_EQ(pragma(*connection, "synchronous"), "1");
    EXPECT_EQ(pragma(*connection, "wal_autocheckpoint"), "0");
    EXPECT_EQ(pragma(*connection, "journal_size_limit"), std::to_string(16 << 20));
    EXPECT_EQ(pragma(*connection, "foreign_keys"), "1");
    EXPECT_EQ(pragma(*connection, "cell_size_check"), "1");
    EXPECT_EQ(pragma(*connection, "mmap_size"), "0");
    EXPECT_EQ(pragma(*connection, "secure_delete"), "1");
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_DEFENSIVE), 1);
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA), 0);
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION), 0);
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_DQS_DML), 0);
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_DQS_DDL), 0);
    EXPECT_EQ(switch_of(*connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE), 0);
    EXPECT_EQ(sqlite3_limit(connection->native(), SQLITE_LIMIT_ATTACHED, -1), 0);
  }
}

TEST_F(ConnectionTest, SecureDeleteIsOffUnlessAskedFor) { EXPECT_EQ(pragma(create(), "secure_delete"), "0"); }

TEST_F(ConnectionTest, HND_03_OpeningNeverCreates) {
  for (const Access access : {Access::read_only, Access::read_write})
    EXPECT_THROW((Connection{folder_ / "missing.db", {.access = access}}), DatabaseMissing);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ConnectionTest, NAME_06_NoNameOpensADatabaseInMemory) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  for (const std::string name :
       {":memory:", "file:x?mode=memory", "file::memory:", "x?vfs=memdb", "file:x?vfs=memdb"})
    EXPECT_THROW((Connection{name, {}}), DatabaseMissing) << name;
  EXPECT_THROW((Connection{"", {}}), DatabaseMissing);
  fs::current_path(before);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ConnectionTest, NAME_06_UriFileNamesAreOffInTheWholeProcess) {
  (void)create();
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2("file:x?mode=memory", &database, SQLITE_OPEN_READWRITE, nullptr),
            SQLITE_CANTOPEN);
  sqlite3_close(database);
}

TEST_F(ConnectionTest, ASymlinkIsRefusedAsFileAndAsFolder) {
  (void)create();
  fs::create_symlink(folder_ / "a.db", folder_ / "link.db");
  EXPECT_THROW((Connection{folder_ / "link.db", {}}), AccessRefused);
  fs::create_directory(folder_ / "real");
  fs::rename(folder_ / "a.db", folder_ / "real/a.db");
  fs::create_directory_symlink(folder_ / "real", folder_ / "linked");
  EXPECT_THROW((Connection{folder_ / "linked/a.db", {}}), AccessRefused);
}

TEST_F(ConnectionTest, ALinkIsSaidWithItsTarget) {
  const auto refusal = [](const fs::path& path) -> std::string {
    try {
      const Connection connection{path, {.access = Access::create}};
    } catch (const AccessRefused& error) {
      return error.what();
    }
    return "";
  };
  fs::create_symlink("/nowhere/x.db", folder_ / "dangling.db");
  EXPECT_NE(refusal(folder_ / "dangling.db").find("dangling.db is a symbolic link to /nowhere/x.db"),
            std::string::npos);
  fs::create_directory(folder_ / "real");
  fs::create_directory_symlink("real", folder_ / "linked");
  EXPECT_NE(refusal(folder_ / "linked/a.db").find("linked is a symbolic link to real"), std::string::npos);
  EXPECT_NE(refusal(folder_ / "real").find("a folder lies where a database belongs"), std::string::npos);
}

TEST_F(ConnectionTest, WhatIsNoRegularFileIsRefused) {
  EXPECT_THROW((Connection{folder_.path(), {}}), AccessRefused);
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_THROW((Connection{folder_ / "fifo", {.access = Access::read_only}}), AccessRefused);
}

TEST_F(ConnectionTest, WhatIsNoDatabaseIsDamaged) {
  std::ofstream{folder_ / "text.db"} << std::string(5000, 'x');
  EXPECT_THROW((Connection{folder_ / "text.db", {}}), DatabaseDamaged);
}

TEST_F(ConnectionTest, ANewFileBelongsToTheGroupWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  {
    Connection connection = create();
    connection.execute(kItemTable);
    for (const char* name : {"a.db", "a.db-wal", "a.db-shm"})
      EXPECT_EQ(mode_of(folder_ / name), 0660) << name;
  }
  ::umask(before);
}

TEST_F(ConnectionTest, TheModeOfAFileThatWasThereIsLeftAlone) {
  (void)create();
  ASSERT_EQ(::chmod((folder_ / "a.db").c_str(), 0600), 0);
  (void)create();
  EXPECT_EQ(mode_of(folder_ / "a.db"), 0600);
}

TEST_F(ConnectionTest, TheLastCloseLeavesOnlyTheDatabase) {
  {
    Connection connection = create();
    connection.execute(kItemTable);
    EXPECT_TRUE(fs::exists(folder_ / "a.db-wal"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "a.db-wal"));
  EXPECT_FALSE(fs::exists(folder_ / "a.db-shm"));
}

TEST_F(ConnectionTest, AReadOnlyConnectionRefusesWritesAndReadsBesideAWriter) {
  Connection writer = create();
  writer.execute(kItemTable);
  Connection reader{folder_ / "a.db", {.access = Access::read_only}};
  const WriteTransaction transaction{writer};
  writer.statement(kInsertName).bind("uncommitted").run();
  EXPECT_EQ(reader.statement(kCountItems).row().integer(0), 0);
  EXPECT_THROW(reader.statement(kInsertName).bind("x").run(), AccessRefused);
  EXPECT_THROW(reader.execute({"ddl", "create table other(id)"}), AccessRefused);
  EXPECT_THROW(WriteTransaction{reader}, AccessRefused);
}

TEST_F(ConnectionTest, NoStatementReachesAnotherFile) {
  Connection connection = create();
  const std::string other = (folder_ / "other.db").string();
  const std::string attach = "attach '" + other + "' as other";
  const std::string vacuum = "vacuum into '" + other + "'";
  EXPECT_THROW(connection.execute({"attach", attach}), Error);
  EXPECT_THROW(connection.execute({"vacuum", vacuum}), Error);
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(ConnectionTest, AWriterThatWaitsTooLongIsToldThatTheStoreIsBusy) {
  Connection first = create();
  const WriteTransaction held{first};
  for (const int wait_ms : {0, 1}) {
    Connection second{folder_ / "a.db", {.busy_wait_max = std::chrono::milliseconds{wait_ms}}};
    EXPECT_THROW(WriteTransaction{second}, StoreBusy);
  }
}

TEST_F(ConnectionTest, ATransactionThatIsNotCommittedLeavesNothing) {
  Connection connection = create();
  connection.execute(kItemTable);
  {
    const WriteTransaction transaction{connection};
    connection.statement(kInsertName).bind("x").run();
    EXPECT_EQ(connection.changes(), 1);
    EXPECT_EQ(connection.last_insert_row(), 1);
  }
  EXPECT_FALSE(connection.in_transaction());
  EXPECT_EQ(connection.statement(kCountItems).row().integer(0), 0);
}

TEST_F(ConnectionTest, AReadTransactionSeesOneMoment) {
  Connection writer = create();
  writer.execute(kItemTable);
  Connection reader{folder_ / "a.db", {.access = Access::read_only}};
  {
    const ReadTransaction snapshot{reader};
    EXPECT_EQ(reader.statement(kCountItems).row().integer(0), 0);
    writer.statement(kInsertName).bind("x").run();
    EXPECT_EQ(reader.statement(kCountItems).row().integer(0), 0);
  }
  EXPECT_EQ(reader.statement(kCountItems).row().integer(0), 1);
}

TEST_F(ConnectionTest, TheDataVersionGrowsWithTheCommitsOfOthers) {
  Connection writer = create();
  writer.execute(kItemTable);
  Connection reader{folder_ / "a.db", {.access = Access::read_only}};
  const std::int64_t before = reader.data_version();
  EXPECT_EQ(reader.data_version(), before);
  writer.statement(kInsertName).bind("x").run();
  EXPECT_GT(reader.data_version(), before);
}

TEST_F(ConnectionTest, WalPagesAreThoseAfterTheLastCommit) {
  Connection connection = create();
  EXPECT_EQ(connection.wal_pages(), 0);
  connection.execute(kItemTable);
  const std::int64_t pages = connection.wal_pages();
  EXPECT_GT(pages, 0);
  connection.statement(kInsertName).bind("x").run();
  EXPECT_GT(connection.wal_pages(), pages);
}

TEST_F(ConnectionTest, AFileThatWasDeletedMovedOrReplacedIsNoticed) {
  for (const std::string victim : {"a.db", "a.db-wal", "a.db-shm"}) {
    Connection connection = create();
    EXPECT_TRUE(connection.still_on_disk());
    fs::rename(folder_ / victim, folder_ / "elsewhere");
    EXPECT_FALSE(connection.still_on_disk()) << victim << " was moved";
    fs::rename(folder_ / "elsewhere", folder_ / victim);
    EXPECT_TRUE(connection.still_on_disk()) << victim << " is back";
    fs::copy_file(folder_ / victim, folder_ / "copy");
    fs::rename(folder_ / "copy", folder_ / victim);
    EXPECT_FALSE(connection.still_on_disk()) << victim << " was replaced";
    fs::remove(folder_ / victim);
    EXPECT_FALSE(connection.still_on_disk()) << victim << " was deleted";
    fs::remove(folder_ / "a.db");
    fs::remove(folder_ / "a.db-wal");
    fs::remove(folder_ / "a.db-shm");
  }
}

TEST_F(ConnectionTest, AFileWithASecondNameIsRefused) {
  Connection connection = create();
  fs::create_hard_link(folder_ / "a.db", folder_ / "b.db");
  EXPECT_FALSE(connection.still_on_disk());
  for (const Access access : {Access::read_only, Access::read_write, Access::create})
    EXPECT_THROW((Connection{folder_ / "b.db", {.access = access}}), AccessRefused);
  fs::remove(folder_ / "b.db");
  EXPECT_TRUE(connection.still_on_disk());
}

TEST_F(ConnectionTest, AQueryIsExactlyOneStatement) {
  Connection connection = create();
  static constexpr Query kTwo{"two", "select 1; select 2"};
  static constexpr Query kNone{"none", "-- nothing"};
  static constexpr Query kClosed{"closed", "select 1;\n"};
  EXPECT_THROW((void)connection.statement(kTwo), Error);
  EXPECT_THROW((void)connection.statement(kNone), Error);
  EXPECT_EQ(connection.statement(kClosed).row().integer(0), 1);
}

std::size_t prepared(const Connection& connection) {
  std::size_t count = 0;
  for (sqlite3_stmt* it = sqlite3_next_stmt(connection.native(), nullptr); it != nullptr;
       it = sqlite3_next_stmt(connection.native(), it))
    ++count;
  return count;
}

TEST_F(ConnectionTest, TheStatementCacheIsBoundedAndKeepsWhatIsInUse) {
  Connection connection = create();
  std::deque<Query> queries(257, Query{"one", "select 1"});
  const Statement held = connection.statement(queries[0]);
  for (std::size_t i = 1; i < 255; ++i) (void)connection.statement(queries[i]);
  EXPECT_EQ(prepared(connection), 255U);
  (void)connection.statement(queries[255]);
  EXPECT_EQ(prepared(connection), 256U);
  (void)connection.statement(queries[256]);
  EXPECT_EQ(prepared(connection), 256U);
  EXPECT_EQ(connection.statement(queries[1]).row().integer(0), 1) << "evicted, and prepared again";
}

}  // namespace
}  // namespace tenure::sqlite
