#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <future>
#include <string>
#include <support/temporary_folder.hpp>

namespace tenure::sqlite {
namespace {

class ConfinementTest : public ::testing::Test {
 protected:
  ConfinementTest() {
    for (const char* name : {"scratch", "scratch-2", "live"})
      std::filesystem::create_directory(folder_ / name);
  }
  void open(const std::string& name) const {
    const Connection opened(folder_ / name, {.access = Access::create});
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ConfinementTest, OnlyWhatLiesBelowTheFolderIsOpened) {
  const Confinement confined(folder_ / "scratch");
  EXPECT_NO_THROW(open("scratch/a.db"));
  for (const char* outside : {"live/a.db", "scratch-2/a.db", "scratch/../live/a.db", "a.db"})
    EXPECT_THROW(open(outside), AccessRefused) << outside;
  EXPECT_THROW(Confinement::check(folder_ / "scratch"), AccessRefused);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "live/a.db"));
}

// By SQLite itself, as a handler may; attached first to see that, too.
int open_by_hand(const std::string& path) {
  sqlite3* database = nullptr;
  int code = sqlite3_open(":memory:", &database);
  if (code == SQLITE_OK)
    code = sqlite3_exec(database, ("attach '" + path + "' as other; create table other.t (n)").c_str(),
                        nullptr, nullptr, nullptr);
  sqlite3_close(database);
  if (code != SQLITE_OK && code != SQLITE_AUTH) return code;
  const int opened = sqlite3_open(path.c_str(), &database);
  sqlite3_close(database);
  return opened == code ? code : SQLITE_ERROR;
}

TEST_F(ConfinementTest, WhoeverCallsSqliteItselfIsConfinedToo) {
  const std::string live = folder_ / "live/by_hand.db";
  {
    const Confinement confined(folder_ / "scratch");
    EXPECT_EQ(open_by_hand(folder_ / "scratch/by_hand.db"), SQLITE_OK);
    EXPECT_EQ(open_by_hand(live), SQLITE_AUTH);
    const Confinement inner(folder_ / "scratch-2");
    EXPECT_EQ(open_by_hand(live), SQLITE_AUTH);
  }
  EXPECT_FALSE(std::filesystem::exists(live));
  EXPECT_EQ(open_by_hand(live), SQLITE_OK);
}

TEST_F(ConfinementTest, ThoseOfSeveralThreadsComeOneBehindTheOther) {
  const auto confine_often = [&](const std::string& name) {
    for (int i = 0; i < 100; ++i) {
      const Confinement confined(folder_ / name);
      open(name + "/a.db");
    }
  };
  auto other = std::async(std::launch::async, confine_often, "scratch");
  EXPECT_NO_THROW(confine_often("scratch-2"));
  EXPECT_NO_THROW(other.get());
  EXPECT_FALSE(Confinement::is_in_force());
}

TEST_F(ConfinementTest, EndsWithTheObjectAndThenTheFormerOneIsBack) {
  EXPECT_FALSE(Confinement::is_in_force());
  {
    const Confinement confined(folder_ / "scratch");
    {
      const Confinement inner(folder_ / "live");
      EXPECT_NO_THROW(open("live/a.db"));
      EXPECT_THROW(open("scratch/a.db"), AccessRefused);
    }
    EXPECT_TRUE(Confinement::is_in_force());
    EXPECT_NO_THROW(open("scratch/a.db"));
    EXPECT_THROW(open("live/b.db"), AccessRefused);
  }
  EXPECT_FALSE(Confinement::is_in_force());
  EXPECT_NO_THROW(open("live/b.db"));
}

}  // namespace
}  // namespace tenure::sqlite
