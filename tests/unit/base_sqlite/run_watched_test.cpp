#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/run_watched.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace tenure::sqlite {
namespace {

constexpr Query kEndless{
    "endless", "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"};
constexpr Query kShort{"short", "select 7"};

class RunWatched : public ::testing::Test {
 protected:
  tenure::testing::TemporaryFolder folder_;
  Connection connection_{folder_ / "a.db", {.access = Access::create}};
};

TEST_F(RunWatched, WhatTheLookThrowsEndsTheStatementAndIsThrown) {
  int looks = 0;
  const auto look = [&] {
    if (++looks == 3) throw std::runtime_error("enough");
  };
  EXPECT_THROW(run_watched(connection_, look, [&] { connection_.statement(kEndless).row(); }),
               std::runtime_error);
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(connection_.statement(kShort).row().integer(0), 7) << "it is of use afterwards";
}

// One instruction of SQLite's machine.
TEST_F(RunWatched, ACheckOfAllPagesOfOneTableIsEndedToo) {
  constexpr Query kMake{"make", "create table large (id integer primary key, text text)"};
  constexpr Query kFill{"fill", R"sql(
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 8000)
    insert into large select i, hex(zeroblob(1500)) from n)sql"};
  constexpr Query kCheck{"check", "pragma integrity_check(large)"};
  const auto file = folder_ / "alone.db";  // without a log
  std::ofstream{file};
  {
    Connection made(file, {.access = Access::alone});
    made.execute(kMake);
    made.execute(kFill);
  }
  std::string answer;
  const auto looks_of_check = [&](int end_at) {
    Connection fresh(file, {.access = Access::alone});
    int looks = 0;
    const auto look = [&] {
      if (++looks == end_at) throw std::runtime_error("enough");
    };
    run_watched(fresh, look, [&] { answer = fresh.statement(kCheck).row().text(0); });
    return looks;
  };
  EXPECT_GT(looks_of_check(-1), 5);
  EXPECT_EQ(answer, "ok");
  for (const int end_at : {1, 3})
    EXPECT_THROW(static_cast<void>(looks_of_check(end_at)), std::runtime_error) << end_at;
}

TEST_F(RunWatched, WhatTheWorkThrowsIsThrown) {
  EXPECT_THROW(run_watched(
                   connection_, [] {}, [] { raise(ErrorCode::store_busy, "changed its mind"); }),
               StoreBusy);
}

TEST_F(RunWatched, NobodyLooksAfterwards) {
  bool is_over = false;
  const auto look = [&] { EXPECT_FALSE(is_over); };
  run_watched(connection_, look, [] {});
  is_over = true;
  run_watched(
      connection_, [] { throw std::runtime_error("enough"); }, [] {});
  EXPECT_EQ(connection_.statement(kShort).row().integer(0), 7);
}

}  // namespace
}  // namespace tenure::sqlite
