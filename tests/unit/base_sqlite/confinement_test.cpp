#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>

#include <filesystem>
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
