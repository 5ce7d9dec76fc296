#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/wal.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <optional>
#include <string>

// The WAL-reset bug of SQLite (https://sqlite.org/wal.html#walresetbug), reproduced without threads or luck.
// A PASSIVE checkpoint reads the header of the WAL's index and copies frames later. Between the two another
// connection may commit and begin the WAL anew, if all its frames have been copied before. The checkpoint
// then records that as many frames as the old WAL had are copied, and the new commits below that number never
// reach the database.
namespace tenure::sqlite {
namespace {

using tenure::testing::ShimVfs;

constexpr Query kSchema{"schema", "create table item(id integer primary key, filler text)"};
constexpr Query kInsert{"insert_item", "insert into item(filler) values(?1)"};
constexpr Query kCount{"count_items", "select count(*) from item"};
constexpr Query kIntegrity{"integrity_check", "pragma integrity_check"};

constexpr int kLongCommits = 40;  // before the WAL begins anew: far more frames than after it
constexpr int kShortCommits = 3;

// https://sqlite.org/wal.html#walresetbug: fixed in 3.51.3, and in the branches of 3.44 and 3.50.
constexpr bool has_bug(int version) {
  const bool in_3_44 = version >= 3044006 && version < 3045000;
  const bool in_3_50 = version >= 3050007 && version < 3051000;
  return version < 3051003 && !in_3_44 && !in_3_50;
}

class WalReset : public ::testing::Test {
 protected:
  WalReset() {
    writer_.emplace(folder_ / "a.db", ConnectionOptions{.access = Access::create, .busy_wait_max = kNoWait});
    writer_->execute(kSchema);
    // It knows the header as it is now, so that its own checkpoint will have to read it again.
    stale_.emplace(folder_ / "a.db", ConnectionOptions{.busy_wait_max = kNoWait});
    Connection first{folder_ / "a.db", {}};
    for (int i = 0; i < kLongCommits; ++i) insert();
    EXPECT_EQ(checkpoint_gated(*writer_, first).outcome, CheckpointResult::Outcome::complete);
    armed_ = true;
  }

  // Between the checkpoint's look at the header and its copying.
  void on_window() {
    armed_ = false;
    try {
      insert();
      ++hit_;
    } catch (const StoreBusy&) {
      ++refused_;
    }
  }

  void insert() {
    writer_->statement(kInsert).bind(std::string(2000, 'x')).run();
    ++committed_;
  }

  bool is_whole() {
    try {
      for (int i = 0; i < kShortCommits; ++i) insert();
      stale_.reset();
      writer_.reset();
      Connection reopened{folder_ / "a.db", {}};
      return reopened.statement(kIntegrity).row().text(0) == "ok" &&
             reopened.statement(kCount).row().integer(0) == committed_;
    } catch (const DatabaseDamaged&) {
      return false;
    }
  }

  static constexpr std::chrono::milliseconds kNoWait{0};
  tenure::testing::TemporaryFolder folder_;
  bool armed_ = false;
  int hit_ = 0;
  int refused_ = 0;
  int committed_ = 0;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) {
    if (armed_ && event.call == ShimVfs::Call::unfetch && event.file == ShimVfs::File::database) on_window();
    return SQLITE_OK;
  }};
  std::optional<Connection> writer_;
  std::optional<Connection> stale_;
};

TEST_F(WalReset, HND_18_WithoutTheGateTheDatabaseIsDamaged) {
  EXPECT_EQ(sqlite3_wal_checkpoint_v2(stale_->native(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr),
            SQLITE_OK);
  ASSERT_EQ(hit_, 1) << "the commit did not get into the window";
  if (has_bug(sqlite3_libversion_number()))
    EXPECT_FALSE(is_whole()) << "SQLite " << sqlite3_libversion()
                             << " should have the bug: does this test still hit it?";
  else EXPECT_TRUE(is_whole()) << "SQLite " << sqlite3_libversion() << " should have the fix";
}

TEST_F(WalReset, HND_18_WithTheGateItIsWhole) {
  Connection gate{folder_ / "a.db", {}};
  EXPECT_EQ(checkpoint_gated(gate, *stale_).outcome, CheckpointResult::Outcome::complete);
  ASSERT_EQ(refused_, 1) << "nothing tried to commit in the window";
  EXPECT_EQ(hit_, 0);
  EXPECT_TRUE(is_whole());
}

TEST(WalResetVersions, TheRangeOfTheBugIsKnown) {
  for (const int version : {3007000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002})
    EXPECT_TRUE(has_bug(version));
  for (const int version : {3044006, 3044999, 3050007, 3050999, 3051003, 3052000})
    EXPECT_FALSE(has_bug(version));
}

}  // namespace
}  // namespace tenure::sqlite
