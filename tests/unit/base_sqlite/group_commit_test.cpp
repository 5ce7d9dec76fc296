#include "sqlite/group_commit.hpp"

#include "items.hpp"
#include "support/lock_waiters.hpp"
#include "support/sync_gate.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace tenure::sqlite {
namespace {

using tenure::testing::ShimVfs;
using tenure::testing::SyncGate;

constexpr Query kInsertId{"insert_item", "insert into item(id) values(?1)"};
constexpr Query kHas{"has_item", "select count(*) from item where id = ?1"};

class GroupCommitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.write(Durability::durable, [](Connection& connection) { connection.execute(kItemTable); });
    before_ = database_.counters();
    syncs_before_ = gate_.arrived();
  }

  void insert(Durability durability, int id) {
    database_.write(durability,
                    [id](Connection& connection) { connection.statement(kInsertId).bind(id).run(); });
  }
  std::future<void> insert_later(Durability durability, int id) {
    return std::async(std::launch::async, [=, this] { insert(durability, id); });
  }
  std::future<void> fail_later() {
    return std::async(std::launch::async, [this] {
      database_.write(Durability::durable, [](Connection& connection) {
        connection.statement(kInsertId).bind(99).run();
        raise(ErrorCode::limit_reached, "changed its mind");
      });
    });
  }
  // Until so many calls of write() have lined up or have been served.
  void wait_for_writes(std::int64_t count) const {
    while (database_.counters().writes - before_.writes < count) std::this_thread::yield();
  }
  std::int64_t count(const Query& query = kCountItems) {
    std::int64_t rows = 0;
    database_.read([&](Connection& connection) { rows = connection.statement(query).row().integer(0); });
    return rows;
  }
  bool has(int id) {
    std::int64_t rows = 0;
    database_.read(
        [&](Connection& connection) { rows = connection.statement(kHas).bind(id).row().integer(0); });
    return rows == 1;
  }
  [[nodiscard]] std::int64_t commits() const { return database_.counters().commits - before_.commits; }
  [[nodiscard]] int syncs() const { return gate_.arrived() - syncs_before_; }

  tenure::testing::TemporaryFolder folder_;
  SyncGate gate_;
  std::atomic<int> write_result_ = SQLITE_OK;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) {
    if (event.call == ShimVfs::Call::write && event.file == ShimVfs::File::wal) return write_result_.load();
    return gate_.hook(event);
  }};
  Database database_{folder_ / "a.db", {.connection = {.access = Access::create}, .writer_queue = true}};
  Database::Counters before_;
  int syncs_before_ = 0;
};

TEST_F(GroupCommitTest, ADurableWriteIsSyncedBeforeItReturnsAndAnOrderedOneIsNot) {
  insert(Durability::ordered, 1);
  EXPECT_EQ(syncs(), 0);
  insert(Durability::durable, 2);
  EXPECT_EQ(syncs(), 1);
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(database_.counters().syncs - before_.syncs, 1);
}

TEST_F(GroupCommitTest, ENQ_10_ConcurrentWritersShareSyncs) {
  constexpr int kWriters = 64;
  gate_.close_after(0);
  std::vector<std::future<void>> writers;
  writers.push_back(insert_later(Durability::durable, 0));
  gate_.wait_for_arrivals(syncs_before_ + 1);
  for (int id = 1; id < kWriters; ++id) writers.push_back(insert_later(Durability::durable, id));
  wait_for_writes(kWriters);
  for (std::future<void>& writer : writers)
    EXPECT_EQ(writer.wait_for(std::chrono::seconds{0}), std::future_status::timeout)
        << "no sync covers it yet";
  gate_.open();
  for (std::future<void>& writer : writers) writer.get();
  EXPECT_LE(syncs(), kWriters / 4);
  EXPECT_EQ(count(), kWriters);
}

TEST_F(GroupCommitTest, ACommitIsSharedByAtMostTheBoundOfABatch) {
  constexpr int kMax = GroupCommit::kBatchMax;
  int id = 0;
  std::int64_t writes = 0;
  for (const auto& [waiting, expected] : {std::pair{kMax - 1, 1}, {kMax, 1}, {kMax + 1, 2}}) {
    const std::int64_t commits_before = commits();
    const int arrived = gate_.arrived();
    gate_.close_after(0);
    std::vector<std::future<void>> writers;
    writers.push_back(insert_later(Durability::durable, ++id));
    gate_.wait_for_arrivals(arrived + 1);
    for (int i = 0; i < waiting; ++i) writers.push_back(insert_later(Durability::durable, ++id));
    wait_for_writes(writes += waiting + 1);
    gate_.open();
    for (std::future<void>& writer : writers) writer.get();
    EXPECT_EQ(commits() - commits_before, 1 + expected) << waiting << " waited";
  }
}

TEST_F(GroupCommitTest, AWorkThatThrowsUndoesItselfOnlyInASharedCommit) {
  gate_.close_after(0);
  auto first = insert_later(Durability::durable, 1);
  gate_.wait_for_arrivals(syncs_before_ + 1);
  auto second = insert_later(Durability::durable, 2);
  wait_for_writes(2);
  auto thrower = fail_later();
  wait_for_writes(3);
  auto third = insert_later(Durability::ordered, 3);
  wait_for_writes(4);
  gate_.open();
  first.get();
  second.get();
  third.get();
  EXPECT_THROW(thrower.get(), TypedError<ErrorCode::limit_reached>);
  EXPECT_EQ(commits(), 2);
  EXPECT_EQ(count(), 3);
  EXPECT_FALSE(has(99));
}

TEST_F(GroupCommitTest, AWorkThatThrowsAloneLeavesNothing) {
  EXPECT_THROW(fail_later().get(), TypedError<ErrorCode::limit_reached>);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(commits(), 0);
  EXPECT_EQ(syncs(), 0);
  insert(Durability::durable, 1);
  EXPECT_EQ(count(), 1);
}

TEST_F(GroupCommitTest, AnOrderedWriteDoesNotWaitForTheSyncOfItsBatch) {
  gate_.close_after(0);
  auto first = insert_later(Durability::durable, 1);
  gate_.wait_for_arrivals(syncs_before_ + 1);
  auto durable = insert_later(Durability::durable, 2);
  wait_for_writes(2);
  auto ordered = insert_later(Durability::ordered, 3);
  wait_for_writes(3);
  gate_.let_one_pass();
  first.get();
  ordered.get();  // while the second sync is held
  gate_.wait_for_arrivals(syncs_before_ + 2);
  EXPECT_EQ(durable.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  gate_.open();
  durable.get();
}

TEST_F(GroupCommitTest, ENQ_16_NoSyncIsDoneUnderTheWriterLock) {
  Database other{folder_ / "a.db",
                 {.connection = {.busy_wait_max = std::chrono::milliseconds{0}}, .writer_queue = true}};
  gate_.close_after(0);
  auto held = insert_later(Durability::durable, 1);
  gate_.wait_for_arrivals(syncs_before_ + 1);
  other.write(Durability::ordered,
              [](Connection& connection) { connection.statement(kInsertId).bind(2).run(); });
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(held.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  gate_.open();
  held.get();
}

TEST_F(GroupCommitTest, ADatabaseWithAWritersQueueWaitsForItsTurn) {
  WriterQueue queue{folder_ / "a.db-writers"};
  std::future<void> waiting;
  queue.run(std::chrono::milliseconds{0}, [&](WriterQueue::Turn&) {
    waiting = insert_later(Durability::ordered, 1);
    tenure::testing::wait_for_lock_waiters(folder_ / "a.db-writers", 1);
    EXPECT_EQ(commits(), 0);
  });
  waiting.get();
  EXPECT_EQ(commits(), 1);
}

TEST_F(GroupCommitTest, AFailedSyncIsToldToAllWhoWaitForItAndNoLaterWriteIsTried) {
  gate_.close_after(0);
  auto first = insert_later(Durability::durable, 1);
  gate_.wait_for_arrivals(syncs_before_ + 1);
  auto second = insert_later(Durability::durable, 2);
  wait_for_writes(2);
  auto ordered = insert_later(Durability::ordered, 3);
  wait_for_writes(3);
  gate_.let_one_pass();
  first.get();
  gate_.wait_for_arrivals(syncs_before_ + 2);
  ordered.get();
  gate_.answer(SQLITE_IOERR_FSYNC);
  gate_.open();
  EXPECT_THROW(second.get(), DiskSyncFailed);
  gate_.answer(SQLITE_OK);
  for (const Durability durability : {Durability::durable, Durability::ordered})
    EXPECT_THROW(insert(durability, 4), DiskSyncFailed);
  EXPECT_THROW(database_.sync(), DiskSyncFailed);
  EXPECT_THROW((void)database_.checkpoint(), DiskSyncFailed);
  EXPECT_EQ(syncs(), 2);
  EXPECT_FALSE(has(4));
}

TEST_F(GroupCommitTest, AFailedCommitIsToldToAllWhoSharedIt) {
  gate_.close_after(0);
  auto first = insert_later(Durability::durable, 1);
  gate_.wait_for_arrivals(syncs_before_ + 1);
  auto second = insert_later(Durability::durable, 2);
  auto third = insert_later(Durability::ordered, 3);
  wait_for_writes(3);
  write_result_ = SQLITE_FULL;
  gate_.open();
  first.get();
  EXPECT_THROW(second.get(), DiskError);
  EXPECT_THROW(third.get(), DiskError);
  write_result_ = SQLITE_OK;
  insert(Durability::durable, 4);
  EXPECT_EQ(count(), 2);
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(has(4));
}

// The first commit into a log that begins anew syncs its header, inside COMMIT.
TEST_F(GroupCommitTest, ASyncThatFailsInsideAnOrderedCommitIsToldAndNoLaterWriteIsTried) {
  insert(Durability::durable, 1);
  ASSERT_EQ(database_.checkpoint().outcome, CheckpointResult::Outcome::complete);
  gate_.answer(SQLITE_IOERR_FSYNC);
  EXPECT_THROW(insert(Durability::ordered, 2), DiskSyncFailed);
  gate_.answer(SQLITE_OK);
  for (const Durability durability : {Durability::durable, Durability::ordered})
    EXPECT_THROW(insert(durability, 3), DiskSyncFailed);
  EXPECT_FALSE(has(2));
  EXPECT_FALSE(has(3));
}

// Nothing of it was written, so the next commit may succeed.
TEST_F(GroupCommitTest, AnInputOutputErrorAtTheCommitIsTheDisksAndAcknowledgesNothing) {
  for (const Durability durability : {Durability::durable, Durability::ordered}) {
    write_result_ = SQLITE_IOERR_WRITE;
    EXPECT_THROW(insert(durability, 1), DiskError);
    write_result_ = SQLITE_OK;
    EXPECT_FALSE(has(1));
  }
  insert(Durability::durable, 1);
  EXPECT_TRUE(has(1));
}

// Those behind one that gives up lead in their turn, and give up too.
TEST_F(GroupCommitTest, BehindAProcessThatKeepsTheTurnEachCallIsStoreBusy) {
  const std::filesystem::path path = folder_ / "lined_up.db";
  Database database{path, {.connection = {.access = Access::create}, .writer_queue = true}};
  Database other{path, {.writer_queue = true, .queue_wait_max = std::chrono::milliseconds{1}}};
  database.write(Durability::ordered, [&](Connection& connection) {
    connection.execute(kItemTable);
    std::vector<std::future<void>> calls;
    for (int id = 1; id <= 4; ++id)
      calls.push_back(std::async(std::launch::async, [&other, id] {
        other.write(Durability::ordered,
                    [id](Connection& writer) { writer.statement(kInsertId).bind(id).run(); });
      }));
    for (std::future<void>& call : calls) EXPECT_THROW(call.get(), StoreBusy);
    EXPECT_NO_THROW(other.sync());  // needs nobody's turn
  });
  // Its thread has kept its place in the line and finds now that nobody wants the turn.
  const auto write = [&] {
    try {
      other.write(Durability::durable, [](Connection& writer) { writer.statement(kInsertId).bind(5).run(); });
      return true;
    } catch (const StoreBusy&) {
      return false;
    }
  };
  while (!write()) std::this_thread::yield();
  EXPECT_EQ(other.counters().commits, 1);
}

TEST_F(GroupCommitTest, ASyncWithoutAWriteCommitsNothing) {
  database_.sync();
  EXPECT_EQ(syncs(), 1);
  EXPECT_EQ(commits(), 0);
}

TEST_F(GroupCommitTest, AWriteInsideAWriteIsRefusedOnTheQueuesThreadToo) {
  WriterQueue queue{folder_ / "a.db-writers"};
  std::future<void> waiting;
  queue.run(std::chrono::milliseconds{0}, [&](WriterQueue::Turn&) {
    waiting = std::async(std::launch::async, [this] {
      database_.write(Durability::ordered, [this](Connection&) { EXPECT_THROW(database_.sync(), Error); });
    });
    tenure::testing::wait_for_lock_waiters(folder_ / "a.db-writers", 1);
  });
  waiting.get();
  EXPECT_EQ(commits(), 1);
}

TEST_F(GroupCommitTest, AWriteInsideAWriteIsRefused) {
  database_.write(Durability::durable, [this](Connection&) {
    EXPECT_THROW(insert(Durability::durable, 1), Error);
    EXPECT_THROW(database_.sync(), Error);
  });
  insert(Durability::durable, 2);
  EXPECT_EQ(count(), 1);
}

}  // namespace
}  // namespace tenure::sqlite
