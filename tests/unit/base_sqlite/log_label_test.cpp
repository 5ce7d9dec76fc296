#include "sqlite/log_label.hpp"

#include "items.hpp"
#include "sqlite/open_files.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <optional>
#include <string>

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr Query kReadLabel{"read_label", "pragma application_id"};

class LogLabelTest : public ::testing::Test {
 protected:
  void write(Connection& connection, std::string_view name) {
    WriteTransaction transaction{connection};
    connection.statement(kInsertName).bind(name).run();
    transaction.commit();
  }
  void checkpoint(const fs::path& path) {
    Connection gate{path, {}};
    Connection checkpointer{path, {}};
    ASSERT_EQ(checkpoint_gated(gate, checkpointer).outcome, CheckpointResult::Outcome::complete);
  }
  // Leaves no log: the close moves it into the file.
  void make(const fs::path& path) {
    Connection connection{path, {.access = Access::create}};
    connection.execute(kItemTable);
    write(connection, "first");
  }
  // The file and its log as a process that was killed leaves them.
  void copy_as_after_a_crash(const fs::path& from, const fs::path& to) {
    for (const std::string ending : {"", "-wal"}) {
      const fs::path source = from.string() + ending;
      if (fs::exists(source))
        fs::copy_file(source, to.string() + ending, fs::copy_options::overwrite_existing);
    }
  }
  std::int64_t count(const fs::path& path) {
    Connection connection{path, {}};
    return connection.statement(kCountItems).row().integer(0);
  }
  std::int64_t label(Connection& connection) { return connection.statement(kReadLabel).row().integer(0); }

  // Each way to open it says no, and changes neither the file nor the log.
  void expect_refused(const fs::path& path) {
    const std::string file = bytes_of(path);
    const std::string log = bytes_of(path.string() + "-wal");
    for (const Access access : {Access::read_only, Access::read_write, Access::create})
      EXPECT_THROW((Connection{path, {.access = access}}), DatabaseMoved);
    EXPECT_THROW(look_at(path, [](Connection&) {}), DatabaseMoved);
    EXPECT_EQ(bytes_of(path), file);
    EXPECT_EQ(bytes_of(path.string() + "-wal"), log);
  }

  tenure::testing::TemporaryFolder folder_;
  fs::path acme_ = folder_ / "acme.db";
  fs::path beta_ = folder_ / "beta.db";
  fs::path copy_ = folder_ / "copy.db";
};

TEST_F(LogLabelTest, AnotherDatabasesLogIsRefusedAndNothingIsLost) {
  make(acme_);
  make(beta_);
  Connection beta{beta_, {}};
  write(beta, "of beta");
  fs::copy_file(acme_, copy_);
  fs::copy_file(beta_.string() + "-wal", copy_.string() + "-wal");
  expect_refused(copy_);
  fs::remove(copy_.string() + "-wal");
  EXPECT_EQ(count(copy_), 1);
}

TEST_F(LogLabelTest, TheLogOfALaterStateIsRefusedBesideARestoredBackup) {
  make(acme_);
  const fs::path backup = folder_ / "backup.db";
  fs::copy_file(acme_, backup);
  Connection connection{acme_, {}};
  write(connection, "after the backup");
  checkpoint(acme_);
  write(connection, "in the next log");
  copy_as_after_a_crash(acme_, copy_);
  EXPECT_EQ(count(copy_), 3) << "its own log";
  copy_as_after_a_crash(acme_, copy_);
  fs::copy_file(backup, copy_, fs::copy_options::overwrite_existing);
  expect_refused(copy_);
}

TEST_F(LogLabelTest, AnEarlierLogIsRefusedBesideALaterFile) {
  make(acme_);
  Connection connection{acme_, {}};
  write(connection, "in the first log");
  fs::copy_file(acme_.string() + "-wal", folder_ / "early-wal");
  for (int log = 0; log < 2; ++log) {
    checkpoint(acme_);
    write(connection, "later");
  }
  checkpoint(acme_);
  fs::copy_file(acme_, copy_);
  fs::copy_file(folder_ / "early-wal", copy_.string() + "-wal");
  expect_refused(copy_);
}

TEST_F(LogLabelTest, TheLabelMovesOnceForEachLogAndNotForTransactionsThatChangeNothing) {
  make(acme_);
  Connection connection{acme_, {}};
  const std::int64_t before = label(connection);
  EXPECT_NE(before, 0);
  WriteTransaction{connection}.commit();
  EXPECT_EQ(label(connection), before);
  for (int i = 0; i < 3; ++i) write(connection, "x");
  const auto first = static_cast<std::uint32_t>(label(connection));
  EXPECT_EQ(first, next_label(static_cast<std::uint32_t>(before)));
  checkpoint(acme_);
  EXPECT_EQ(label(connection), static_cast<std::int32_t>(first));
  write(connection, "y");
  EXPECT_EQ(static_cast<std::uint32_t>(label(connection)), next_label(first));
}

TEST_F(LogLabelTest, AFileWithoutALabelGetsOneAtRandom) {
  std::uint32_t first = next_label(0);
  EXPECT_NE(first, 0U);
  EXPECT_NE(next_label(0), first) << "two files would agree";
}

TEST_F(LogLabelTest, ItsOwnLogIsTakenWhateverHappenedBefore) {
  constexpr int kSteps = 400;
  Random random{20};
  make(acme_);
  std::optional<Connection> first{std::in_place, acme_, ConnectionOptions{}};
  std::optional<Connection> second{std::in_place, acme_, ConnectionOptions{}};
  std::int64_t written = 1;
  for (int step = 0; step < kSteps; ++step) {
    switch (random.below(6)) {
      case 0:
        checkpoint(acme_);
        break;
      case 1:
        first.emplace(acme_, ConnectionOptions{});
        break;
      case 2:
        second.emplace(acme_, ConnectionOptions{});
        break;
      case 3: {  // a reader keeps part of the log from being moved
        const ReadTransaction snapshot{*first};
        (void)first->statement(kCountItems).row();
        write(*second, "x");
        ++written;
        Connection checkpointer{acme_, {}};
        checkpoint_gated(*second, checkpointer);
        break;
      }
      default:
        write(random.below(2) == 0 ? *first : *second, "x");
        ++written;
    }
    copy_as_after_a_crash(acme_, copy_);
    ASSERT_EQ(count(copy_), written) << "after step " << step;
    fs::remove(copy_.string() + "-wal");
  }
}

TEST_F(LogLabelTest, ClosingADatabaseThatWasMovedRemovesNoLogOfAnother) {
  make(acme_);
  make(beta_);
  std::optional<Connection> acme{std::in_place, acme_, ConnectionOptions{}};
  Connection beta{beta_, {}};
  write(beta, "of beta");
  fs::rename(acme_.string() + "-wal", folder_ / "away-wal");
  fs::rename(beta_.string() + "-wal", acme_.string() + "-wal");
  acme.reset();
  EXPECT_TRUE(fs::exists(acme_.string() + "-wal")) << "which is beta's";
  fs::rename(acme_.string() + "-wal", beta_.string() + "-wal");
  EXPECT_TRUE(beta.still_on_disk());
  EXPECT_EQ(count(beta_), 2);
}

TEST_F(LogLabelTest, AnOpenDatabaseIsNotOpenedBesideAnotherLog) {
  OpenFiles files;
  const FileIdentity database{1, 10};
  const SideFiles own{FileIdentity{1, 11}, FileIdentity{1, 12}};
  files.join(database, own, 7, acme_);
  files.join(database, own, 7, acme_);
  EXPECT_THROW(files.join(database, {FileIdentity{1, 13}, FileIdentity{1, 12}}, 7, copy_), DatabaseMoved);
  EXPECT_THROW(files.join(database, {FileIdentity{1, 11}, std::nullopt}, 7, copy_), DatabaseMoved);
  files.leave(database);
  EXPECT_THROW(files.join(database, {}, 7, copy_), DatabaseMoved);
  files.leave(database);
  EXPECT_NO_THROW(files.join(database, {}, 7, copy_)) << "nobody has it open";
}

TEST_F(LogLabelTest, ADatabaseWaitsForTheLogThatWasLeftElsewhere) {
  make(acme_);
  std::optional<Connection> acme{std::in_place, acme_, ConnectionOptions{}};
  write(*acme, "acknowledged");
  for (const std::string ending : {"-wal", "-shm"})
    fs::rename(acme_.string() + ending, folder_ / ("away" + ending));
  acme.reset();
  for (const Access access : {Access::read_only, Access::read_write})
    EXPECT_THROW((Connection{acme_, {.access = access}}), DatabaseMoved) << "without its last commit";
  for (const std::string ending : {"-wal", "-shm"})
    fs::rename(folder_ / ("away" + ending), acme_.string() + ending);
  EXPECT_EQ(count(acme_), 2);
}

TEST_F(LogLabelTest, ALogThatWasDeletedWhileOpenIsMovedIntoItsDatabase) {
  make(acme_);
  std::optional<Connection> acme{std::in_place, acme_, ConnectionOptions{}};
  std::optional<Connection> other{std::in_place, acme_, ConnectionOptions{}};
  write(*acme, "acknowledged");
  fs::remove(acme_.string() + "-wal");
  acme.reset();
  write(*other, "by whoever has not noticed");
  other.reset();
  EXPECT_EQ(count(acme_), 3);
}

TEST_F(LogLabelTest, ALogThatWasMovedIntoItsDatabaseElsewhereIsNotMissed) {
  make(acme_);
  std::optional<Connection> acme{std::in_place, acme_, ConnectionOptions{}};
  write(*acme, "acknowledged");
  for (const std::string ending : {"", "-wal", "-shm"})
    fs::rename(acme_.string() + ending, copy_.string() + ending);
  acme.reset();
  EXPECT_EQ(count(copy_), 2) << "and the close ends the log";
  EXPECT_FALSE(fs::exists(copy_.string() + "-wal"));
  fs::rename(copy_, acme_);
  EXPECT_EQ(count(acme_), 2);
}

TEST_F(LogLabelTest, AnOpenDatabaseThatWasMovedIsNotOpenedByItsNewName) {
  make(acme_);
  std::optional<Connection> acme{std::in_place, acme_, ConnectionOptions{}};
  write(*acme, "of acme");
  fs::rename(acme_, copy_);
  EXPECT_THROW((Connection{copy_, {}}), Error) << "its log has the former name";
  fs::remove(copy_.string() + "-wal");
  fs::rename(copy_, acme_);
  EXPECT_EQ(count(acme_), 2);
}

}  // namespace
}  // namespace tenure::sqlite
