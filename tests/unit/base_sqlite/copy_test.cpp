#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace tenure::sqlite {
namespace {

constexpr Query kCreateToCopy{"create", "create table item(id integer primary key, text text) strict"};
constexpr Query kFillToCopy{"fill", R"sql(
  with recursive number(n) as (select 1 union all select n + 1 from number where n < 2000)
  insert into item(text) select hex(randomblob(1000)) from number)sql"};
constexpr Query kAddMeanwhile{"add", "insert into item(text) values (hex(randomblob(1000)))"};
constexpr Query kCountCopied{"count", "select count(*) from item"};
constexpr Query kCheckCopy{"check", "pragma integrity_check"};

class CopyDatabase : public ::testing::Test {
 protected:
  CopyDatabase() {
    source_.execute(kCreateToCopy);
    source_.execute(kFillToCopy);
    std::ofstream{target_};
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "source.db";
  std::filesystem::path target_ = folder_ / "copy.db";
  Connection source_{path_, {.access = Access::create}};
};

TEST_F(CopyDatabase, HasWhatWasThereWhenItBeganAndNothingThatCameMeanwhile) {
  Connection other(path_, {});
  int steps = 0;
  CopyProgress last;
  copy_database(source_, target_, [&](const CopyProgress& progress) {
    ++steps;
    EXPECT_GE(progress.pages_done, last.pages_done);
    last = progress;
    other.execute(kAddMeanwhile);
  });
  EXPECT_GT(steps, 2);
  EXPECT_EQ(last.pages_done, last.pages);
  EXPECT_EQ(source_.statement(kCountCopied).row().integer(0), 2000 + steps);
  Connection copy(target_, {.access = Access::look});
  EXPECT_EQ(copy.statement(kCountCopied).row().integer(0), 2000);
  EXPECT_EQ(copy.statement(kCheckCopy).row().text(0), "ok");
}

TEST_F(CopyDatabase, OfASnapshotThatIsHeldHasNothingThatCameSince) {
  Connection other(path_, {});
  const ReadTransaction snapshot{source_};
  EXPECT_EQ(source_.statement(kCountCopied).row().integer(0), 2000);
  other.execute(kAddMeanwhile);
  copy_database(source_, target_, [&](const CopyProgress&) { other.execute(kAddMeanwhile); });
  EXPECT_TRUE(source_.in_transaction()) << "the snapshot goes on";
  Connection copy(target_, {.access = Access::look});
  EXPECT_EQ(copy.statement(kCountCopied).row().integer(0), 2000);
  EXPECT_EQ(copy.statement(kCheckCopy).row().text(0), "ok");
}

TEST_F(CopyDatabase, IsTakenUpByAConnectionThatIsAloneAndLeavesNothingBeside) {
  constexpr Query kDelete{"delete", "delete from item where id > 10"};
  constexpr Query kMode{"mode", "pragma journal_mode"};
  copy_database(source_, target_, [](const CopyProgress&) {});
  const auto names = [&] { return std::distance(std::filesystem::directory_iterator{folder_.path()}, {}); };
  const auto before = names();
  {
    Connection alone(target_, {.access = Access::alone});
    EXPECT_EQ(alone.statement(kMode).row().text(0), "memory");
    alone.execute(kDelete);
    EXPECT_EQ(names(), before);
  }
  EXPECT_EQ(names(), before);
  Connection copy(target_, {.access = Access::look});
  EXPECT_EQ(copy.statement(kCountCopied).row().integer(0), 10);
  EXPECT_EQ(copy.statement(kMode).row().text(0), "delete") << "a file without a log";
}

TEST_F(CopyDatabase, EndsWhereItsProgressThrows) {
  EXPECT_THROW(
      copy_database(source_, target_, [](const CopyProgress&) { throw std::runtime_error("enough"); }),
      std::runtime_error);
  source_.execute(kAddMeanwhile);  // no transaction is left open
  EXPECT_FALSE(source_.in_transaction());
}

TEST_F(CopyDatabase, NeedsItsTargetToBeThere) {
  std::filesystem::remove(target_);
  EXPECT_THROW(copy_database(source_, target_, [](const CopyProgress&) {}), Error);
  EXPECT_FALSE(std::filesystem::exists(target_));
}

}  // namespace
}  // namespace tenure::sqlite
