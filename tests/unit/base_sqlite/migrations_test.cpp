#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migrations.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenure::sqlite {
namespace {

const Migration kFirst{1, "0001_item.sql", "create table item(id integer primary key);"};
const Migration kSecond{2, "0002_name.sql",
                        "alter table item add column name text; insert into item(name) values('x');"};
const Migration kThird{3, "0003_index.sql", "create index item_name on item(name);"};

constexpr Query kNames{"names", "select name from item"};
constexpr Query kRows{"rows", "select count(*), min(applied_us), max(applied_us) from tenure_migration"};

class MigrationsTest : public ::testing::Test {
 protected:
  void expect_refused(const std::vector<Migration>& migrations, const std::string& word) {
    try {
      (void)migrate(connection_, migrations, 1);
      FAIL() << "not refused: " << word;
    } catch (const SchemaMismatch& error) {
      EXPECT_NE(std::string{error.what()}.find(word), std::string::npos) << error.what();
    }
    EXPECT_FALSE(connection_.in_transaction());
  }

  tenure::testing::TemporaryFolder folder_;
  Connection connection_{folder_ / "a.db", {.access = Access::create}};
};

TEST_F(MigrationsTest, AnEmptyDatabaseGetsEveryStepOnce) {
  EXPECT_EQ(schema_version(connection_), 0);
  EXPECT_EQ(migrate(connection_, std::vector{kFirst, kSecond}, 5), 2);
  EXPECT_EQ(migrate(connection_, std::vector{kFirst, kSecond}, 6), 0);
  EXPECT_EQ(schema_version(connection_), 2);
  EXPECT_EQ(connection_.statement(kNames).row().text(0), "x");
  Statement rows = connection_.statement(kRows);
  EXPECT_EQ(rows.row().integer(0), 2);
  EXPECT_EQ(rows.integer(1), 5);
  EXPECT_EQ(rows.integer(2), 5);
}

TEST_F(MigrationsTest, NoStepsAreNoChange) {
  EXPECT_EQ(migrate(connection_, {}, 5), 0);
  EXPECT_EQ(schema_version(connection_), 0);
}

TEST_F(MigrationsTest, AnOlderDatabaseIsBroughtOn) {
  EXPECT_EQ(migrate(connection_, std::vector{kFirst}, 5), 1);
  EXPECT_EQ(migrate(connection_, std::vector{kFirst, kSecond, kThird}, 6), 2);
  EXPECT_EQ(schema_version(connection_), 3);
}

TEST_F(MigrationsTest, AStepThatFailsLeavesNothingAndIsResumed) {
  const Migration broken{2, "0002_name.sql",
                         "alter table item add column name text; insert into nowhere values(1);"};
  EXPECT_THROW((void)migrate(connection_, std::vector{kFirst, broken}, 5), Error);
  EXPECT_EQ(schema_version(connection_), 1);
  EXPECT_EQ(migrate(connection_, std::vector{kFirst, kSecond}, 6), 1);
}

TEST_F(MigrationsTest, AnEditedStepIsRefused) {
  (void)migrate(connection_, std::vector{kFirst, kSecond}, 5);
  Migration edited = kFirst;
  edited.sql += " ";
  expect_refused({edited, kSecond, kThird}, "edited");
  EXPECT_EQ(schema_version(connection_), 2);
}

TEST_F(MigrationsTest, ANewerDatabaseIsRefused) {
  (void)migrate(connection_, std::vector{kFirst, kSecond}, 5);
  expect_refused({kFirst}, "this program knows 1");
}

TEST_F(MigrationsTest, WhatIsAppliedIsToldAlsoOfANewerDatabase) {
  EXPECT_FALSE(applied_steps(connection_, std::vector{kFirst}).has_table);
  (void)migrate(connection_, std::vector{kFirst, kSecond, kThird}, 5);
  const AppliedSteps all = applied_steps(connection_, std::vector{kFirst, kSecond, kThird});
  EXPECT_TRUE(all.has_table);
  EXPECT_EQ(all.count, 3U);
  EXPECT_FALSE(all.newer);
  const AppliedSteps some = applied_steps(connection_, std::vector{kFirst});
  EXPECT_EQ(some.count, 1U);
  ASSERT_TRUE(some.newer);
  EXPECT_EQ(some.newer->number, 2);
  EXPECT_EQ(some.newer->name, "0002_name.sql");
}

TEST_F(MigrationsTest, TheCookieTellsOfOthersTablesAndNotOfTheirRows) {
  (void)migrate(connection_, std::vector{kFirst}, 5);
  Connection other(folder_ / "a.db", {});
  const std::int64_t before = schema_cookie(connection_);
  other.execute({"row", "insert into item default values"});
  EXPECT_EQ(schema_cookie(connection_), before);
  other.execute({"table", "create table more(id integer primary key)"});
  EXPECT_NE(schema_cookie(connection_), before);
}

TEST_F(MigrationsTest, AMissingStepIsRefused) {
  expect_refused({kFirst, kThird}, "1, 2, 3");
  expect_refused({kSecond}, "1, 2, 3");
  EXPECT_EQ(schema_version(connection_), 0);
  (void)migrate(connection_, std::vector{kFirst, kSecond}, 5);
  connection_.execute({"lose_a_row", "delete from tenure_migration where number = 1"});
  expect_refused({kFirst, kSecond}, "missing");
  EXPECT_THROW((void)schema_version(connection_), SchemaMismatch);
}

TEST_F(MigrationsTest, AStepThatEndsItsTransactionIsRefused) {
  expect_refused({{1, "0001_commit.sql", "create table item(id); commit;"}}, "commit");
}

TEST_F(MigrationsTest, AStepThatWouldBeginATransactionIsToldWhoseThereIs) {
  for (const char* const statement : {"begin", "vacuum"}) {
    try {
      (void)migrate(connection_, std::vector{Migration{1, "0001_own.sql", statement}}, 1);
      FAIL() << "not refused: " << statement;
    } catch (const QueryFailed& error) {
      EXPECT_NE(std::string{error.what()}.find("migrations run in a transaction of Tenure's own"),
                std::string::npos)
          << error.what();
    }
    EXPECT_FALSE(connection_.in_transaction());
  }
  try {
    (void)migrate(connection_, std::vector{Migration{1, "0001_typo.sql", "creat table item(id)"}}, 1);
    FAIL() << "not refused";
  } catch (const QueryFailed& error) {
    EXPECT_EQ(std::string{error.what()}.find("transaction"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tenure::sqlite
