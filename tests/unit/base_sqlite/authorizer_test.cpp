#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/authorizer.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

namespace tenure::sqlite {
namespace {

constexpr Query kItemsAndStamp{"schema", R"sql(
  create table item(id integer primary key, name text);
  create table tenure_stamp(x);
  insert into tenure_stamp values(1))sql"};
constexpr Query kOwnWrite{"own_write", "insert into tenure_stamp values(2)"};
constexpr Query kCountBoth{"count",
                           "select (select count(*) from item), (select count(*) from tenure_stamp)"};

// Speaks to SQLite as another library would that got the sqlite3*.
class AuthorizerTest : public ::testing::Test {
 protected:
  AuthorizerTest() { connection_.execute(kItemsAndStamp); }

  int run(const std::string& sql) {
    return sqlite3_exec(connection_.native(), sql.c_str(), nullptr, nullptr, nullptr);
  }
  int run_in_transaction(const std::string& sql) {
    const Authorizer& authorizer = authorizer_.emplace(connection_, &stop_);
    static_cast<void>(authorizer);
    int code = SQLITE_OK;
    {
      const Authorizer::Permission permission{*authorizer_};
      transaction_.emplace(connection_);
    }
    code = run(sql);
    const Authorizer::Permission permission{*authorizer_};
    transaction_.reset();
    return code;
  }

  testing::TemporaryFolder folder_;
  std::atomic<bool> stop_ = false;
  Connection connection_{folder_ / "test.db", {.access = Access::create}};
  std::optional<Authorizer> authorizer_;
  std::optional<WriteTransaction> transaction_;
};

TEST_F(AuthorizerTest, SEC_03_WhatReachesOutsideTheDatabaseIsRefused) {
  const std::string other = (folder_ / "other.db").string();
  for (const std::string& sql :
       {"attach '" + other + "' as other", std::string{"detach main"}, "vacuum into '" + other + "'",
        std::string{"vacuum"}, std::string{"select load_extension('x')"},
        std::string{"select LOAD_EXTENSION('x', 'y')"}, "attach 'file:" + other + "?mode=memory' as other",
        std::string{"attach ':memory:' as other"}}) {
    authorizer_.emplace(connection_, nullptr);
    EXPECT_NE(run(sql), SQLITE_OK) << sql;
    EXPECT_NE(authorizer_->take_refusal(), "") << sql;
    EXPECT_NE(run_in_transaction(sql), SQLITE_OK) << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(AuthorizerTest, SEC_03_EveryWritingPragmaIsRefused) {
  for (const std::string sql :
       {"pragma journal_mode = delete", "pragma synchronous = off", "pragma writable_schema = on",
        "pragma user_version = 3", "pragma foreign_keys = off", "pragma wal_checkpoint",
        "pragma wal_checkpoint(truncate)", "pragma wal_autocheckpoint = 1", "pragma mmap_size = 1000000",
        "pragma trusted_schema = on", "pragma locking_mode = exclusive", "pragma optimize",
        "pragma incremental_vacuum", "pragma application_id = 1", "pragma data_store_directory = '/'",
        "pragma temp_store = 1", "pragma JOURNAL_MODE(delete)", "pragma query_only = on",
        "pragma shrink_memory"})
    EXPECT_EQ(run_in_transaction(sql), SQLITE_AUTH) << sql;
}

TEST_F(AuthorizerTest, PragmasThatOnlyDescribeAreAllowed) {
  for (const std::string sql :
       {"pragma table_info(item)", "pragma user_version", "pragma foreign_key_check(item)",
        "pragma page_count", "select * from pragma_table_info('item')", "pragma Index_List(item)",
        "pragma journal_mode"})
    EXPECT_EQ(run_in_transaction(sql), SQLITE_OK) << sql;
}

TEST_F(AuthorizerTest, OurTablesAreReadButNotWritten) {
  EXPECT_EQ(run_in_transaction("select * from tenure_stamp"), SQLITE_OK);
  for (const std::string sql :
       {"insert into tenure_stamp values(1)", "update tenure_stamp set x = 2", "delete from tenure_stamp",
        "DELETE FROM Tenure_Stamp", "replace into tenure_stamp values(1)", "drop table tenure_stamp",
        "alter table tenure_stamp add column y", "alter table tenure_stamp rename to other",
        "create index i on tenure_stamp(x)",
        "create trigger t after insert on tenure_stamp begin select 1; end", "create table tenure_other(x)",
        "create temp table tenure_stamp(x)", "create view tenure_view as select 1",
        "create temp view TENURE_stamp as select 1", "create index tenure_i on item(name)",
        "with x as (select 1) insert into tenure_stamp select * from x"})
    EXPECT_EQ(run_in_transaction(sql), SQLITE_AUTH) << sql;
  authorizer_.reset();
  EXPECT_EQ(connection_.statement(kCountBoth).row().integer(1), 1);
}

TEST_F(AuthorizerTest, OurTablesAreNotWrittenThroughATrigger) {
  EXPECT_NE(run_in_transaction("create trigger t after insert on item begin delete from tenure_stamp; end;"
                               "insert into item(name) values('x')"),
            SQLITE_OK);
  authorizer_.reset();
  EXPECT_EQ(connection_.statement(kCountBoth).row().integer(1), 1);
}

TEST_F(AuthorizerTest, OurOwnCodeWritesThemWhileItHasPermission) {
  authorizer_.emplace(connection_, nullptr);
  {
    const Authorizer::Permission permission{*authorizer_};
    const Authorizer::Permission nested{*authorizer_};
    WriteTransaction transaction{connection_};
    connection_.statement(kOwnWrite).run();
    transaction.commit();
  }
  EXPECT_EQ(connection_.statement(kCountBoth).row().integer(1), 2);
  EXPECT_EQ(run("insert into tenure_stamp values(3)"), SQLITE_AUTH);
}

TEST_F(AuthorizerTest, TheRestOfSqlIsTheUsersOwn) {
  for (const std::string sql :
       {"insert into item(name) values('x')", "create table mine(x, y)", "create index mine_x on item(name)",
        "create trigger t after insert on item begin update item set name = 'y'; end",
        "create temp table scratch(x)", "alter table item add column more",
        "savepoint s; insert into item(name) values('y'); rollback to s; release s", "analyze",
        "create table tenured(x)"})
    EXPECT_EQ(run_in_transaction(sql), SQLITE_OK) << sql;
}

TEST_F(AuthorizerTest, HND_23_NobodyElseBeginsOrCommits) {
  authorizer_.emplace(connection_, nullptr);
  EXPECT_EQ(run("begin"), SQLITE_AUTH);
  EXPECT_EQ(run("begin immediate"), SQLITE_AUTH);
  EXPECT_EQ(run_in_transaction("commit"), SQLITE_AUTH);
  EXPECT_EQ(run_in_transaction("rollback"), SQLITE_AUTH);
}

TEST_F(AuthorizerTest, HND_23_AWriteOutsideOurTransactionIsNotCommitted) {
  authorizer_.emplace(connection_, nullptr);
  EXPECT_NE(run("insert into item(name) values('x')"), SQLITE_OK);
  EXPECT_NE(run("savepoint s; insert into item(name) values('x'); release s"), SQLITE_OK);
  Connection other{folder_ / "test.db", {}};
  EXPECT_EQ(other.statement(kCountBoth).row().integer(0), 0);
}

TEST_F(AuthorizerTest, TheRefusalIsToldOnceAndInWords) {
  authorizer_.emplace(connection_, nullptr);
  EXPECT_EQ(authorizer_->take_refusal(), "");
  run("detach main");
  EXPECT_EQ(authorizer_->take_refusal(), "DETACH is not allowed here");
  EXPECT_EQ(authorizer_->take_refusal(), "");
}

TEST_F(AuthorizerTest, ARaisedStopEndsTheStatementThatRuns) {
  authorizer_.emplace(connection_, &stop_);
  const std::string endless =
      "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";
  stop_ = true;
  EXPECT_EQ(run(endless), SQLITE_INTERRUPT);
  stop_ = false;
  EXPECT_EQ(run("select 1"), SQLITE_OK);
}

TEST_F(AuthorizerTest, WithoutItEverythingIsAsBefore) {
  authorizer_.emplace(connection_, nullptr);
  authorizer_.reset();
  EXPECT_EQ(run("insert into tenure_stamp values(3)"), SQLITE_OK);
}

}  // namespace
}  // namespace tenure::sqlite
