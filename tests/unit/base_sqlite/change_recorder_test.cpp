#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/change_recorder.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>

namespace tenure::sqlite {
namespace {

using Kind = ChangedRow::Kind;

constexpr std::size_t kNoLimit = 1UL << 30U;
constexpr std::size_t kHeldMax = 1UL << 20U;

class ChangeRecording : public ::testing::Test {
 protected:
  ChangeRecording() {
    run(R"sql(
      create table item (id integer primary key, text text, weight real, raw blob);
      create table pair (a text, b text, n integer, primary key (a, b)) without rowid;
      create table keyless (text text);
      create table computed (id integer primary key, n integer, twice integer as (n * 2) stored);
      create virtual table found using fts5(title);
      create table tenure_own (id integer primary key);
      insert into item values (1, 'one', 1.5, x'01'), (2, 'two', 2.5, null);
      insert into pair values ('a', 'b', 1))sql");
    begin();
  }

  void begin() {
    recorder_.reset();
    recorder_ = std::make_unique<ChangeRecorder>(
        connection_, [](std::string_view table) { return !table.starts_with("tenure_"); }, kHeldMax);
  }
  void run(const std::string& sql) { connection_.execute({"test", sql}); }

  std::vector<ChangedRow> changes() {
    std::vector<ChangedRow> rows = recorder_->changes(kNoLimit);
    std::ranges::sort(rows, {}, [](const ChangedRow& row) { return std::tie(row.table, row.kind); });
    return rows;
  }

  testing::TemporaryFolder folder_;
  Connection connection_{folder_ / "changes.db", {.access = Access::create}};
  std::unique_ptr<ChangeRecorder> recorder_;
};

TEST_F(ChangeRecording, TellsEachRowWithTheTypesOfItsValues) {
  run("insert into item values (3, 'three', null, x'00ff')");
  run("update item set text = 'TWO', weight = null where id = 2");
  run("delete from item where id = 1");
  const auto rows = changes();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0], (ChangedRow{"item",
                                 Kind::inserted,
                                 {{.name = "id", .is_key = true, .after = Cell{std::int64_t{3}}},
                                  {.name = "text", .after = Cell{std::string{"three"}}},
                                  {.name = "weight", .after = Cell{nullptr}},
                                  {.name = "raw", .after = Cell{Bytes{{std::byte{0}, std::byte{255}}}}}}}));
  EXPECT_EQ(
      rows[1],
      (ChangedRow{"item",
                  Kind::updated,
                  {{.name = "id", .is_key = true, .before = Cell{std::int64_t{2}}},
                   {.name = "text", .before = Cell{std::string{"two"}}, .after = Cell{std::string{"TWO"}}},
                   {.name = "weight", .before = Cell{2.5}, .after = Cell{nullptr}}}}));
  EXPECT_EQ(rows[2].kind, Kind::deleted);
  EXPECT_EQ(rows[2].columns.at(3).before, Cell{Bytes{{std::byte{1}}}});
}

TEST_F(ChangeRecording, TellsOnlyTheNetChangeOverManyTransactions) {
  run("update item set text = 'x' where id = 1");
  run("update item set text = 'one' where id = 1");
  run("insert into item values (9, 'gone', 0, null)");
  run("delete from item where id = 9");
  EXPECT_EQ(changes(), std::vector<ChangedRow>{});
  run("begin; delete from item; rollback");
  EXPECT_EQ(changes(), std::vector<ChangedRow>{}) << "what was rolled back has not happened";
}

TEST_F(ChangeRecording, KnowsKeysOfSeveralColumnsAndTablesWithoutRowid) {
  run("update pair set n = 2");
  const auto rows = changes();
  ASSERT_EQ(rows.size(), 1U);
  ASSERT_EQ(rows[0].columns.size(), 3U);
  EXPECT_TRUE(rows[0].columns[0].is_key && rows[0].columns[1].is_key && !rows[0].columns[2].is_key);
}

TEST_F(ChangeRecording, NamesWantedTablesThatItDoesNotRecord) {
  run("insert into keyless values ('x'); insert into computed (id, n) values (1, 2)");
  run("insert into found values ('a title'); insert into tenure_own values (1)");
  run("create table later (id integer primary key); insert into later values (1)");
  run("update item set text = 'seen' where id = 1");
  const auto rows = changes();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].table, "item");
  EXPECT_EQ(recorder_->tables_not_recorded(),
            (std::vector<std::string>{"computed", "found", "found_config", "found_content", "found_data",
                                      "found_docsize", "found_idx", "keyless", "later"}))
      << "with what a virtual one keeps in tables of its own";
}

TEST_F(ChangeRecording, RefusesMoreBytesThanAreAllowed) {
  run("update item set text = hex(zeroblob(1000)) where id = 1");
  EXPECT_THROW(static_cast<void>(recorder_->changes(1000)), LimitReached);
  EXPECT_EQ(changes().size(), 1U) << "and can be asked again";
}

TEST_F(ChangeRecording, HoldsNoMoreThanItsBoundOfOneLongStatement) {
  recorder_.reset();
  run("with recursive n(i) as (select 10 union all select i + 1 from n where i < 20000) "
      "insert into item select i, hex(zeroblob(200)), 0, null from n");
  begin();
  run("update item set text = ''");
  EXPECT_LT(recorder_->bytes_held(), 2 * kHeldMax);
  EXPECT_THROW(static_cast<void>(recorder_->changes(kNoLimit)), LimitReached);
  run("delete from item");
  EXPECT_LT(recorder_->bytes_held(), 2 * kHeldMax);
}

// A few bytes for SQLite, and a lot for whoever reads them.
TEST_F(ChangeRecording, RefusesRowsThatTakeMoreMemoryThanIsAllowed) {
  run("create table tick (i integer primary key)");
  begin();
  run("with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) "
      "insert into tick select i from n");
  EXPECT_THROW(static_cast<void>(recorder_->changes(50'000)), LimitReached);
  EXPECT_EQ(recorder_->changes(kNoLimit).size(), 1000U) << "and SQLite has packed them into 11 bytes each";
}

TEST_F(ChangeRecording, SaysWhereAnAlteredTableKeepsItFromTelling) {
  run("update item set text = 'x' where id = 1");
  run("alter table item add column more text");
  run("update item set more = 'y' where id = 1");
  EXPECT_THROW(static_cast<void>(recorder_->changes(kNoLimit)), SchemaMismatch);
}

TEST_F(ChangeRecording, SaysWhereADroppedTableKeepsItFromTelling) {
  run("update item set text = 'x' where id = 1");
  run("drop table item");
  EXPECT_THROW(static_cast<void>(recorder_->changes(kNoLimit)), SchemaMismatch);
}

TEST_F(ChangeRecording, LeavesNothingOnTheConnection) {
  recorder_.reset();
  run("update item set text = 'x' where id = 1");
  recorder_ = std::make_unique<ChangeRecorder>(
      connection_, [](std::string_view) { return true; }, kHeldMax);
  EXPECT_EQ(changes(), std::vector<ChangedRow>{});
}

}  // namespace
}  // namespace tenure::sqlite
