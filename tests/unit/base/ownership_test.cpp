#include "support/temporary_folder.hpp"

#include <tenure/base/ownership.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure {
namespace {

constexpr uid_t kService = 4711;
constexpr uid_t kOther = 4712;

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

mode_t mode_of(const std::filesystem::path& path) { return status_of(path).st_mode & 07777; }

class OwnershipTest : public ::testing::Test {
 protected:
  OwnershipTest() : umask_(::umask(077)) {}
  ~OwnershipTest() override { ::umask(umask_); }
  OwnershipTest(const OwnershipTest&) = delete;
  OwnershipTest& operator=(const OwnershipTest&) = delete;
  std::filesystem::path file(const std::string& name) {
    std::ofstream{folder_ / name} << "x";
    return folder_ / name;
  }

  testing::TemporaryFolder folder_;

 private:
  mode_t umask_;
};

TEST_F(OwnershipTest, FoldersHaveTheModeOfTheOneTheyLieInWhateverTheUmask) {
  for (const mode_t mode : {02750U, 0750U, 0755U, 0770U}) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0);
    const auto made = folder_ / std::to_string(mode);
    make_folders(made / "inner");
    EXPECT_EQ(mode_of(made), mode);
    EXPECT_EQ(mode_of(made / "inner"), mode);
  }
}

TEST_F(OwnershipTest, NoFolderThatIsMadeIsWrittenByEverybody) {
  ASSERT_EQ(::chmod(folder_.path().c_str(), 01777), 0);
  EXPECT_TRUE(make_folder(folder_ / "made"));
  EXPECT_EQ(mode_of(folder_ / "made"), 0775U);
}

TEST_F(OwnershipTest, AFolderThatIsThereStaysAsItIs) {
  ASSERT_EQ(::mkdir((folder_ / "there").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  const mode_t before = mode_of(folder_ / "there");
  EXPECT_FALSE(make_folder(folder_ / "there"));
  EXPECT_EQ(mode_of(folder_ / "there"), before);
  EXPECT_EQ(before & 0777U, 0700U);
}

class OwnershipByRootTest : public OwnershipTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can make files for others";
    ASSERT_EQ(::chown(folder_.path().c_str(), kService, kService), 0);
  }
};

TEST_F(OwnershipByRootTest, FoldersAndFilesBelongToTheOwnerOfTheirFolder) {
  make_folders(folder_ / "a" / "b");
  give_to_owner_of_folder(file("file"));
  for (const char* name : {"a", "a/b", "file"}) {
    EXPECT_EQ(status_of(folder_ / name).st_uid, kService) << name;
    EXPECT_EQ(status_of(folder_ / name).st_gid, kService) << name;
  }
}

TEST_F(OwnershipByRootTest, NothingOfOthersAndNothingWithASecondNameIsGivenAway) {
  const auto others = file("others");
  ASSERT_EQ(::chown(others.c_str(), kOther, kOther), 0);
  give_to_owner_of_folder(others);
  EXPECT_EQ(status_of(others).st_uid, kOther);
  const auto linked = file("linked");
  std::filesystem::create_hard_link(linked, folder_ / "second");
  give_to_owner_of_folder(linked);
  EXPECT_EQ(status_of(linked).st_uid, 0U);
  const auto target = file("target");
  std::filesystem::create_symlink(target, folder_ / "link");
  give_to_owner_of_folder(folder_ / "link");
  EXPECT_EQ(status_of(target).st_uid, 0U);
}

}  // namespace
}  // namespace tenure
