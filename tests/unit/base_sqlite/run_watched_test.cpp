#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/run_watched.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

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
