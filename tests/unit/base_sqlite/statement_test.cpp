#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/text.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <limits>
#include <optional>

namespace tenure::sqlite {
namespace {

constexpr Query kThreeItems{"schema",
                            "create table item(id integer primary key, name text); "
                            "insert into item values(1, 'a'), (2, 'b'), (3, 'c')"};
constexpr Query kEcho{"echo", "select ?1, typeof(?1), ?2, typeof(?2)"};
constexpr Query kItems{"items", "select id, name from item order by id"};
constexpr Query kItem{"item", "select name from item where id = ?1"};

class StatementTest : public ::testing::Test {
 protected:
  StatementTest() { connection_.execute(kThreeItems); }

  tenure::testing::TemporaryFolder folder_;
  Connection connection_{folder_ / "a.db", {.access = Access::create}};
};

TEST_F(StatementTest, BindsFromLeftToRight) {
  Statement statement = connection_.statement(kEcho);
  statement.bind(std::numeric_limits<std::int64_t>::min(), "text").row();
  EXPECT_EQ(statement.integer(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(statement.text(1), "integer");
  EXPECT_EQ(statement.text(2), "text");
  EXPECT_EQ(statement.text(3), "text");
  EXPECT_EQ(statement.columns(), 4);
}

TEST_F(StatementTest, AnEmptyTextAndAnEmptyBlobAreNotNull) {
  Statement statement = connection_.statement(kEcho);
  statement.bind(std::string_view{}, std::span<const std::byte>{}).row();
  EXPECT_EQ(statement.text(1), "text");
  EXPECT_EQ(statement.text(3), "blob");
  EXPECT_FALSE(statement.is_null(0));
  EXPECT_TRUE(statement.blob(2).empty());
}

TEST_F(StatementTest, ABlobAndATextKeepTheirZeroBytes) {
  const std::string_view bytes{"a\0b", 3};
  Statement statement = connection_.statement(kEcho);
  statement.bind(bytes, as_bytes(bytes)).row();
  EXPECT_EQ(statement.text(0), bytes);
  EXPECT_EQ(as_text(statement.blob(2)), bytes);
}

TEST_F(StatementTest, OptionalAndNullAndReal) {
  {
    Statement statement = connection_.statement(kEcho);
    statement.bind(std::optional<int>{}, nullptr).row();
    EXPECT_TRUE(statement.is_null(0));
    EXPECT_TRUE(statement.is_null(2));
    EXPECT_EQ(statement.optional_integer(0), std::nullopt);
  }
  Statement statement = connection_.statement(kEcho);
  statement.bind(std::optional<int>{7}, 1.5).row();
  EXPECT_EQ(statement.optional_integer(0), 7);
  EXPECT_EQ(statement.real(2), 1.5);
}

TEST_F(StatementTest, ALoopThatIsLeftEarlyHoldsNoTransactionOpen) {
  {
    Statement statement = connection_.statement(kItems);
    ASSERT_TRUE(statement.step());
    EXPECT_EQ(sqlite3_txn_state(connection_.native(), "main"), SQLITE_TXN_READ);
  }
  EXPECT_EQ(sqlite3_txn_state(connection_.native(), "main"), SQLITE_TXN_NONE);
}

TEST_F(StatementTest, BindingsOfAFormerUseAreGone) {
  EXPECT_EQ(connection_.statement(kItem).bind(2).row().text(0), "b");
  EXPECT_FALSE(connection_.statement(kItem).step()) << "nothing bound is NULL";
}

TEST_F(StatementTest, AMovedStatementIsResetOnce) {
  Statement first = connection_.statement(kItems);
  ASSERT_TRUE(first.step());
  Statement second = std::move(first);
  ASSERT_TRUE(second.step());
  EXPECT_EQ(second.integer(0), 2);
}

TEST_F(StatementTest, AMissingRowIsAnErrorOfOurs) {
  try {
    connection_.statement(kItem).bind(99).row();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_EQ(error.failure().where, "item");
  }
}

TEST_F(StatementTest, OneValueTooManyIsRefused) {
  EXPECT_THROW(connection_.statement(kItem).bind(1, 2), Error);
}

TEST_F(StatementTest, AStatementInUseIsNotLeasedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Statement first = connection_.statement(kItems);
  EXPECT_DEATH((void)connection_.statement(kItems), "in_use");
}

}  // namespace
}  // namespace tenure::sqlite
