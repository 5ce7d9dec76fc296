#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/commit_barrier.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>

namespace tenure::sqlite {
namespace {

constexpr Query kTable{"table", "create table item(id integer primary key, name text)"};
constexpr Query kInsert{"insert", "insert into item(name) values ('x')"};
constexpr std::chrono::milliseconds kNoWait{0};

class CommitBarrierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    connection_.execute(kTable);
    connection_.execute(kInsert);
  }

  tenure::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "a.db";
  Connection connection_{path_, {.access = Access::create, .busy_wait_max = kNoWait}};
};

TEST_F(CommitBarrierTest, NobodyWritesWhileItLivesAndEverybodyBehindIt) {
  {
    const CommitBarrier barrier{path_, kNoWait};
    EXPECT_THROW(WriteTransaction{connection_}, StoreBusy);
    const ReadTransaction reads{connection_};
  }
  const WriteTransaction writes{connection_};
}

TEST_F(CommitBarrierTest, ItWaitsForWhoeverWritesAndForNobodyLonger) {
  std::optional<WriteTransaction> writes{connection_};
  EXPECT_THROW(CommitBarrier(path_, std::chrono::milliseconds{5}), StoreBusy);
  writes.reset();
  const CommitBarrier barrier{path_, kNoWait};
}

// Whose pages whoever has had it open has in memory.
TEST_F(CommitBarrierTest, AFileThatNobodyCanOpenIsNoObstacle) {
  std::filesystem::resize_file(path_, 100);
  const CommitBarrier barrier{path_, kNoWait};
  EXPECT_THROW(WriteTransaction{connection_}, StoreBusy);
}

TEST_F(CommitBarrierTest, WithoutAFileThereIsNone) {
  EXPECT_THROW(CommitBarrier(folder_ / "none.db", kNoWait), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db-shm"));
}

}  // namespace
}  // namespace tenure::sqlite
