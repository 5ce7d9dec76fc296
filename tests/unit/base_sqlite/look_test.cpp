#include "items.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/look.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::sqlite {
namespace {

using ::testing::HasSubstr;
using Files = std::map<std::string, std::string>;

constexpr Query kCount{"count", "select count(*) from item"};
constexpr Query kInsert{"insert", "insert into item values (1)"};

class Look : public ::testing::Test {
 protected:
  Look() { std::filesystem::create_directory(copy_folder_); }

  void create() {
    writer_.emplace(path_, ConnectionOptions{.access = Access::create});
    writer_->execute({"create", "create table item(x)"});
    writer_->execute(kInsert);
  }
  static std::int64_t items(const std::filesystem::path& path) {
    std::int64_t count = -1;
    look_at(path, [&](Connection& connection) { count = connection.statement(kCount).row().integer(0); });
    return count;
  }
  // With the files beside it that end so.
  std::filesystem::path copied(std::initializer_list<const char*> endings) {
    const auto copy = copy_folder_ / "copy ?#%.db";
    for (const char* ending : endings)
      std::filesystem::copy_file(path_.native() + ending, copy.native() + ending);
    return copy;
  }
  [[nodiscard]] Files copied_files() const {
    Files files;
    for (const auto& entry : std::filesystem::directory_iterator(copy_folder_))
      files.emplace(entry.path().filename(), bytes_of(entry.path()));
    return files;
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "items.db";
  std::filesystem::path copy_folder_ = folder_ / "copies";
  std::optional<Connection> writer_;
};

TEST_F(Look, SeesWhatIsCommittedBesideAWriterAndItsLock) {
  create();
  writer_->execute({"begin", "begin immediate"});
  writer_->execute(kInsert);
  EXPECT_EQ(items(path_), 1);
  writer_->execute({"commit", "commit"});
  EXPECT_EQ(items(path_), 2);
}

TEST_F(Look, ACopyWithoutALogStaysAsItIs) {
  create();
  writer_.reset();
  const auto copy = copied({""});
  const Files before = copied_files();
  EXPECT_EQ(items(copy), 1);
  EXPECT_EQ(copied_files(), before);
}

// As a kill -9 leaves it that comes between the header of a new log and its first frame.
TEST_F(Look, ALogThatHasAHeaderAndNoFrameIsNone) {
  create();
  const auto index = bytes_of(path_.string() + "-shm");
  const auto header = bytes_of(path_.string() + "-wal").substr(0, 32);
  writer_.reset();  // moves the log into the file
  const auto copy = copied({""});
  std::ofstream(copy.native() + "-wal", std::ios::binary) << header;
  std::ofstream(copy.native() + "-shm", std::ios::binary) << std::string(index.size(), '\0');
  const Files before = copied_files();
  EXPECT_EQ(items(copy), 1);
  EXPECT_TRUE(look_at_file(copy, [](Connection& connection) { connection.statement(kCount).row(); }));
  EXPECT_EQ(copied_files(), before);
}

TEST_F(Look, ACopyWithItsLogAndIndexIsReadAndStaysAsItIs) {
  create();
  const auto copy = copied({"", "-wal", "-shm"});
  const Files before = copied_files();
  EXPECT_EQ(items(copy), 1);
  EXPECT_EQ(copied_files(), before);
}

TEST_F(Look, ACopyWithALogAndNoIndexIsRefusedAndStaysAsItIs) {
  create();
  const auto copy = copied({"", "-wal"});
  const Files before = copied_files();
  try {
    static_cast<void>(items(copy));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::access_refused);
    EXPECT_THAT(error.what(), HasSubstr("tenure store backup FILE"));
  }
  EXPECT_EQ(copied_files(), before);
}

// Who closes last removes the index before the log, and so there is a moment with a log and no index.
TEST_F(Look, IsRefusedByNobodyWhoOpensAndCloses) {
  create();
  writer_.reset();
  // In another process, as a look is: within one it would share the writer's index.
  const pid_t opener = ::fork();
  ASSERT_GE(opener, 0);
  if (opener == 0) {
    for (int round = 0; round < 300; ++round) {
      Connection writer(path_, {.access = Access::read_write});
      writer.execute(kInsert);
    }
    ::_exit(0);
  }
  std::int64_t looks = 0;
  for (int status = 0; ::waitpid(opener, &status, WNOHANG) == 0; ++looks) {
    try {
      EXPECT_GE(items(path_), 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::store_busy) << error.what();
    }
  }
  EXPECT_GT(looks, 0);
  EXPECT_EQ(items(path_), 301);
}

TEST_F(Look, NeverWrites) {
  create();
  const auto insert = [](Connection& connection) { connection.execute(kInsert); };
  EXPECT_THROW(look_at(path_, insert), Error);
  writer_.reset();
  EXPECT_THROW(look_at(path_, insert), Error);
  EXPECT_EQ(items(path_), 1);
}

TEST_F(Look, WhatWasWrittenDuringALookWithoutALogMakesItNoAnswer) {
  create();
  writer_.reset();
  const auto write_meanwhile = [&](Connection& connection) {
    EXPECT_EQ(connection.statement(kCount).row().integer(0), 1);
    Connection writer(path_, {});
    writer.execute(kInsert);
    writer.execute({"checkpoint", "pragma wal_checkpoint(truncate)"});
  };
  EXPECT_THROW(look_at(path_, write_meanwhile), StoreBusy);
  EXPECT_EQ(items(path_), 2);
}

TEST_F(Look, NothingIsMadeWhereThereIsNothing) {
  EXPECT_THROW(static_cast<void>(items(path_)), DatabaseMissing);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Look, AFileAloneIsLookedAtBesideWritersOfTheProcessWhoGoOnWriting) {
  create();
  const auto count = [&](std::int64_t& found) {
    return look_at_file(path_, [&](Connection& file) { found = file.statement(kCount).row().integer(0); });
  };
  std::int64_t found = -1;
  EXPECT_FALSE(count(found)) << "there is a log";
  writer_.reset();
  EXPECT_TRUE(count(found));
  EXPECT_EQ(found, 1);
  EXPECT_FALSE(look_at_file(path_, [&](Connection& file) {
    writer_.emplace(path_, ConnectionOptions{});
    writer_->statement(kInsert).run();
    found = file.statement(kCount).row().integer(0);
  })) << "written to meanwhile";
  EXPECT_NO_THROW(writer_->statement(kInsert).run());
}

}  // namespace
}  // namespace tenure::sqlite
