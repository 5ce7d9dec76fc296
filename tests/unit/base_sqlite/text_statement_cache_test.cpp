#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace tenure::sqlite {
namespace {

class TextStatementCacheTest : public ::testing::Test {
 protected:
  ErrorCode refusal_of(std::string_view sql) {
    try {
      static_cast<void>(cache_.statement_for(sql));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{};
  }
  std::int64_t value_of(std::string_view sql) {
    return cache_.statement_for(sql)->statement().row().integer(0);
  }

  testing::TemporaryFolder folder_;
  Connection connection_{folder_ / "test.db", {.access = Access::create}};
  TextStatementCache cache_{connection_};
};

TEST_F(TextStatementCacheTest, AnEqualTextIsPreparedOnce) {
  const std::string text = "select 7";
  EXPECT_EQ(value_of(text), 7);
  EXPECT_EQ(value_of(std::string{"select 7"}), 7) << "another buffer";
}

TEST_F(TextStatementCacheTest, ATextThatIsInUseGetsAStatementOfItsOwn) {
  const auto outer = cache_.statement_for("select 1 union all select 2");
  ASSERT_TRUE(outer->statement().step());
  const auto inner = cache_.statement_for("select 1 union all select 2");
  ASSERT_TRUE(inner->statement().step());
  EXPECT_EQ(inner->statement().integer(0), 1);
  ASSERT_TRUE(outer->statement().step());
  EXPECT_EQ(outer->statement().integer(0), 2);
  EXPECT_EQ(inner->statement().integer(0), 1);
}

TEST_F(TextStatementCacheTest, MoreTextsThanItKeepsStillWorkAlsoWhileInUse) {
  std::vector<std::unique_ptr<TextStatementCache::Lease>> leases;
  for (std::size_t number = 0; number < 2 * TextStatementCache::kStatementsMax; ++number) {
    leases.push_back(cache_.statement_for("select " + std::to_string(number)));
    ASSERT_TRUE(leases.back()->statement().step());
  }
  for (std::size_t number = 0; number < leases.size(); ++number)
    EXPECT_EQ(leases[number]->statement().integer(0), static_cast<std::int64_t>(number));
  leases.clear();
  cache_.clear();
  EXPECT_EQ(value_of("select 3"), 3);
}

TEST_F(TextStatementCacheTest, ParametersAreCountedAndWritersKnown) {
  EXPECT_EQ(cache_.statement_for("select ?, ?2, ?1")->parameters(), 2);
  EXPECT_TRUE(cache_.statement_for("select 1")->read_only());
  EXPECT_FALSE(cache_.statement_for("create table t(x)")->read_only());
}

TEST_F(TextStatementCacheTest, ExactlyOneStatementIsTaken) {
  EXPECT_EQ(refusal_of(""), ErrorCode::bad_options);
  EXPECT_EQ(refusal_of(" -- nothing\n"), ErrorCode::bad_options);
  EXPECT_EQ(refusal_of("select 1; select 2"), ErrorCode::bad_options);
  EXPECT_EQ(refusal_of("select 1; oops"), ErrorCode::bad_options);
  EXPECT_EQ(refusal_of(std::string_view{"select 1\0;", 10}), ErrorCode::bad_options);
  EXPECT_EQ(refusal_of("select 1; ; /* that */ -- is all\n ;"), ErrorCode{});
}

TEST_F(TextStatementCacheTest, LengthIsLimited) {
  const std::string start = "select 1 --";
  EXPECT_EQ(refusal_of(start + std::string(1'000'000 - start.size(), 'x')), ErrorCode{});
  EXPECT_EQ(refusal_of(start + std::string(1'000'001 - start.size(), 'x')), ErrorCode::bad_options);
}

TEST_F(TextStatementCacheTest, ABadTextSaysWhere) {
  try {
    static_cast<void>(cache_.statement_for("select * from nowhere"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().where, "select * from nowhere");
  }
}

}  // namespace
}  // namespace tenure::sqlite
