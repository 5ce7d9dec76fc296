#include "items.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

void insert(Database& database, Durability durability = Durability::durable) {
  database.write(durability,
                 [](Connection& connection) { connection.statement(kInsertName).bind("x").run(); });
}

std::int64_t count(Database& database) {
  std::int64_t rows = 0;
  database.read([&](Connection& connection) { rows = connection.statement(kCountItems).row().integer(0); });
  return rows;
}

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    database_.emplace(folder_ / "a.db", DatabaseOptions{.connection = {.access = Access::create}});
    database_->write(Durability::durable, [](Connection& connection) { connection.execute(kItemTable); });
  }

  tenure::testing::TemporaryFolder folder_;
  std::optional<Database> database_;
};

TEST_F(DatabaseTest, WhatIsWrittenIsRead) {
  insert(*database_);
  insert(*database_, Durability::ordered);
  EXPECT_EQ(count(*database_), 2);
  EXPECT_EQ(database_->counters().writes, 3);
  EXPECT_EQ(database_->path(), folder_ / "a.db");
}

TEST_F(DatabaseTest, WhatRefusesAtTheBeginningOfATransactionRefusesItsWork) {
  bool refuses = false;
  Database watched(folder_ / "a.db", {.at_begin = [&](Connection& connection) {
                     EXPECT_TRUE(connection.in_transaction());
                     if (refuses) raise(ErrorCode::schema_mismatch, "another one");
                   }});
  insert(watched);
  refuses = true;
  bool called = false;
  EXPECT_THROW(watched.write(Durability::durable, [&](Connection&) { called = true; }), SchemaMismatch);
  EXPECT_FALSE(called);
  refuses = false;
  insert(watched);
  EXPECT_EQ(count(watched), 2);
}

TEST_F(DatabaseTest, OpeningNeverCreates) {
  EXPECT_THROW((Database{folder_ / "b.db", {}}), DatabaseMissing);
  EXPECT_FALSE(fs::exists(folder_ / "b.db"));
}

TEST_F(DatabaseTest, LSE_20_NothingIsWrittenToAFileThatIsGone) {
  for (const std::string victim : {"a.db", "a.db-wal", "a.db-shm"}) {
    fs::rename(folder_ / victim, folder_ / "elsewhere");
    bool called = false;
    EXPECT_THROW(database_->write(Durability::durable, [&](Connection&) { called = true; }), DatabaseMoved);
    EXPECT_FALSE(called);
    EXPECT_THROW(database_->sync(), DatabaseMoved);
    EXPECT_THROW((void)database_->checkpoint(), DatabaseMoved);
    fs::rename(folder_ / "elsewhere", folder_ / victim);
  }
  insert(*database_);
  EXPECT_EQ(count(*database_), 1);
}

TEST_F(DatabaseTest, LSE_20_NothingIsWrittenToAFileWithASecondName) {
  fs::create_hard_link(folder_ / "a.db", folder_ / "b.db");
  EXPECT_THROW(insert(*database_), DatabaseMoved);
  fs::remove(folder_ / "b.db");
  insert(*database_);
  EXPECT_EQ(count(*database_), 1);
}

TEST_F(DatabaseTest, LSE_20_WhatWasWrittenWhileAFileWentIsNotPromised) {
  for (const std::string victim : {"a.db", "a.db-wal", "a.db-shm"}) {
    EXPECT_THROW(database_->write(Durability::durable,
                                  [&](Connection& connection) {
                                    connection.statement(kInsertName).bind("x").run();
                                    fs::rename(folder_ / victim, folder_ / "elsewhere");
                                  }),
                 DatabaseMoved)
        << victim;
    fs::rename(folder_ / "elsewhere", folder_ / victim);
  }
}

TEST_F(DatabaseTest, AReadSeesOneMoment) {
  database_->read([this](Connection& connection) {
    EXPECT_EQ(connection.statement(kCountItems).row().integer(0), 0);
    insert(*database_);
    EXPECT_EQ(connection.statement(kCountItems).row().integer(0), 0);
  });
  EXPECT_EQ(count(*database_), 1);
}

TEST_F(DatabaseTest, AReadCannotWrite) {
  EXPECT_THROW(
      database_->read([](Connection& connection) { connection.statement(kInsertName).bind("x").run(); }),
      AccessRefused);
}

TEST_F(DatabaseTest, AReadThatThrowsGivesItsConnectionBack) {
  Database one{folder_ / "a.db", {.readers_max = 1}};
  for (const ErrorCode code : {ErrorCode::internal, ErrorCode::database_damaged})
    EXPECT_THROW(one.read([code](Connection&) { raise(code, "no"); }), Error);
  EXPECT_THROW(one.read([](Connection&) { throw 7; }), int);
  EXPECT_EQ(count(one), 0);
}

TEST_F(DatabaseTest, ReadersAreBoundedAndMoreCallersWait) {
  constexpr int kReaders = 2;
  Database database{folder_ / "a.db", {.readers_max = kReaders}};
  std::latch full{kReaders};
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      database.read([&](Connection&) {
        EXPECT_LE(++inside, kReaders);
        if (!full.try_wait()) full.arrive_and_wait();  // the first two are in at the same time
        --inside;
      });
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(DatabaseTest, TheNumberOfReadersIsOneToSixtyFour) {
  for (const std::size_t readers : {std::size_t{0}, std::size_t{65}})
    EXPECT_THROW((Database{folder_ / "a.db", {.readers_max = readers}}), BadOptions);
  for (const std::size_t readers : {std::size_t{1}, std::size_t{64}}) {
    Database database{folder_ / "a.db", {.readers_max = readers}};
    EXPECT_EQ(count(database), 0);
  }
}

TEST_F(DatabaseTest, TheDataVersionGrowsWithEveryCommitOfAnybody) {
  const std::int64_t first = database_->data_version();
  EXPECT_EQ(database_->data_version(), first);
  insert(*database_);
  const std::int64_t second = database_->data_version();
  EXPECT_GT(second, first);
  Database other{folder_ / "a.db", {}};
  insert(other, Durability::ordered);
  EXPECT_GT(database_->data_version(), second);
}

TEST_F(DatabaseTest, ACheckpointMovesEveryFrameAndTheWalStartsAgain) {
  for (int i = 0; i < 50; ++i) insert(*database_, Durability::ordered);
  const std::int64_t bytes = database_->wal_bytes();
  EXPECT_GT(bytes, 0);
  const CheckpointResult result = database_->checkpoint();
  EXPECT_EQ(result.outcome, CheckpointResult::Outcome::complete);
  EXPECT_GT(result.frames_moved, 50);
  for (int i = 0; i < 20; ++i) insert(*database_, Durability::ordered);
  EXPECT_EQ(database_->wal_bytes(), bytes) << "the same frames again";
  EXPECT_EQ(count(*database_), 70);
}

TEST_F(DatabaseTest, WhatAWaitingCheckpointWouldFindIsKnownWithoutLooking) {
  EXPECT_GT(database_->bytes_to_checkpoint(), 0);
  (void)database_->checkpoint();
  EXPECT_EQ(database_->bytes_to_checkpoint(), 0);
  insert(*database_);
  const std::int64_t bytes = database_->bytes_to_checkpoint();
  EXPECT_GT(bytes, 0);
  EXPECT_LT(bytes, database_->wal_bytes());
  database_->read([&](Connection& connection) {
    (void)connection.statement(kCountItems).row();
    insert(*database_);
    EXPECT_EQ(database_->checkpoint().outcome, CheckpointResult::Outcome::partial);
    EXPECT_GT(database_->bytes_to_checkpoint(), bytes);
  });
}

TEST_F(DatabaseTest, HND_17_TheWalStaysBoundedAndShrinksAfterALongReader) {
  const auto write_and_checkpoint = [this] {
    for (int i = 0; i < 20; ++i) insert(*database_, Durability::ordered);
    return database_->checkpoint().outcome;
  };
  using enum CheckpointResult::Outcome;
  EXPECT_EQ(write_and_checkpoint(), complete);
  const std::int64_t bytes = database_->wal_bytes();
  for (int round = 0; round < 5; ++round) EXPECT_EQ(write_and_checkpoint(), complete);
  EXPECT_LE(database_->wal_bytes(), bytes + bytes / 4);
  database_->read([&](Connection& connection) {
    (void)connection.statement(kCountItems).row();
    for (int round = 0; round < 3; ++round) EXPECT_EQ(write_and_checkpoint(), partial);
    EXPECT_GT(database_->wal_bytes(), 2 * bytes);
  });
  EXPECT_EQ(write_and_checkpoint(), complete);
}

TEST_F(DatabaseTest, HND_19_TheLastCloseLeavesOnlyTheDatabase) {
  insert(*database_);
  (void)count(*database_);
  (void)database_->data_version();
  (void)database_->checkpoint();
  database_.reset();
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator{folder_.path()}) left.push_back(entry.path().filename());
  EXPECT_EQ(left, std::vector<fs::path>{"a.db"});
}

TEST_F(DatabaseTest, TheWritersQueueIsAFileBesideTheDatabase) {
  EXPECT_FALSE(fs::exists(folder_ / "a.db-writers"));
  Database queued{folder_ / "a.db", {.writer_queue = true}};
  insert(queued);
  EXPECT_EQ(queued.checkpoint().outcome, CheckpointResult::Outcome::complete);
  EXPECT_EQ(static_cast<int>(fs::status(folder_ / "a.db-writers").permissions()) & 0777, 0660);
}

TEST_F(DatabaseTest, ManyThreadsOfTwoDatabasesWriteAndCheckpointWithoutABusyError) {
  Database other{folder_ / "a.db", {.writer_queue = true}};
  Database queued{folder_ / "a.db", {.writer_queue = true}};
  constexpr int kWrites = 50;
  std::vector<std::thread> threads;
  for (Database* database : {&other, &queued, &other, &queued})
    threads.emplace_back([database] {
      for (int i = 0; i < kWrites; ++i) {
        insert(*database, i % 2 == 0 ? Durability::durable : Durability::ordered);
        if (i % 10 == 0) (void)database->checkpoint();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(*database_), 4 * kWrites);
  std::string verdict;
  database_->read([&](Connection& connection) {
    static constexpr Query kCheck{"integrity_check", "pragma integrity_check"};
    verdict = connection.statement(kCheck).row().text(0);
  });
  EXPECT_EQ(verdict, "ok");
}

}  // namespace
}  // namespace tenure::sqlite
