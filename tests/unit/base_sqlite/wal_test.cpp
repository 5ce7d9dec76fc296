#include "support/shim_vfs.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <optional>

namespace tenure::sqlite {
namespace {

using tenure::testing::ShimVfs;

constexpr Query kSchema{"schema", "create table item(id integer primary key, name text)"};
constexpr Query kInsertLogged{"insert_item", "insert into item(name) values(?1)"};
constexpr Query kCountLogged{"count_items", "select count(*) from item"};

class WalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    first_.execute(kSchema);
    syncs_ = 0;
  }

  tenure::testing::TemporaryFolder folder_;
  int syncs_ = 0;
  int sync_result_ = SQLITE_OK;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) {
    if (event.call != ShimVfs::Call::sync) return SQLITE_OK;
    if (event.file == ShimVfs::File::wal) ++syncs_;
    return sync_result_;
  }};
  Connection first_{folder_ / "a.db", {.access = Access::create}};
  Connection second_{folder_ / "a.db", {.busy_wait_max = std::chrono::milliseconds{0}}};
};

TEST_F(WalTest, ACommitDoesNotSyncAndSyncWalDoesOnce) {
  first_.statement(kInsertLogged).bind("x").run();
  EXPECT_EQ(syncs_, 0);
  sync_wal(first_);
  EXPECT_EQ(syncs_, 1);
}

TEST_F(WalTest, ASyncNeedsNoLock) {
  const WriteTransaction held{first_};
  sync_wal(second_);
  EXPECT_EQ(syncs_, 1);
}

TEST_F(WalTest, AFailedSyncIsTold) {
  sync_result_ = SQLITE_IOERR_FSYNC;
  EXPECT_THROW(sync_wal(first_), DiskSyncFailed);
}

TEST_F(WalTest, AGatedCheckpointMovesEveryFrame) {
  first_.statement(kInsertLogged).bind("x").run();
  const CheckpointResult result = checkpoint_gated(first_, second_);
  EXPECT_EQ(result.outcome, CheckpointResult::Outcome::complete);
  EXPECT_EQ(result.frames_in_wal, first_.wal_pages());
  EXPECT_EQ(result.frames_moved, first_.wal_pages());
  EXPECT_FALSE(first_.in_transaction());
}

TEST_F(WalTest, AReaderLeavesACheckpointPartial) {
  Connection reader{folder_ / "a.db", {.access = Access::read_only}};
  const ReadTransaction snapshot{reader};
  (void)reader.statement(kCountLogged).row();
  first_.statement(kInsertLogged).bind("x").run();
  const CheckpointResult result = checkpoint_gated(first_, second_);
  EXPECT_EQ(result.outcome, CheckpointResult::Outcome::partial);
  EXPECT_LT(result.frames_moved, result.frames_in_wal);
}

TEST_F(WalTest, ACheckpointDoesNotRunBesideAWriter) {
  const WriteTransaction held{first_};
  EXPECT_THROW((void)checkpoint_gated(second_, first_), StoreBusy);
}

TEST_F(WalTest, ACheckpointWhoseSyncFailsIsToldAndTheGateIsOpen) {
  first_.statement(kInsertLogged).bind("x").run();
  sync_result_ = SQLITE_IOERR_FSYNC;
  EXPECT_THROW((void)checkpoint_gated(first_, second_), DiskSyncFailed);
  EXPECT_FALSE(first_.in_transaction());
}

TEST_F(WalTest, ALogThatNobodyHasOpenIsEnded) {
  first_.statement(kInsertLogged).bind("x").run();
  for (const std::string ending : {"", "-wal"})
    std::filesystem::copy_file(folder_ / ("a.db" + ending), folder_ / ("left.db" + ending));
  EXPECT_GT(wal_bytes(folder_ / "left.db"), 0);
  end_log(folder_ / "left.db");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "left.db-wal"));
  Connection left{folder_ / "left.db", {}};
  EXPECT_EQ(left.statement(kCountLogged).row().integer(0), 1);

  end_log(folder_ / "a.db");
  EXPECT_GT(wal_bytes(folder_ / "a.db"), 0) << "it is in use";
  end_log(folder_ / "none.db");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db"));
}

}  // namespace
}  // namespace tenure::sqlite
