#include "sqlite/library.hpp"

#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace tenure::sqlite {
namespace {

TEST(Library, OneSqliteIsFoundInThisProcess) {
  EXPECT_THAT(sqlite_libraries(), ::testing::ElementsAre(::testing::HasSubstr("libsqlite3")));
}

void open_beside_a_second_library() {
  const tenure::testing::TemporaryFolder folder;
  if (dlopen(SECOND_SQLITE, RTLD_NOW | RTLD_LOCAL) == nullptr) std::exit(4);
  try {
    const Connection connection{folder / "a.db", {.access = Access::create}};
  } catch (const BadConfiguration& error) {
    std::fputs(error.what(), stderr);
    std::exit(3);
  }
  std::exit(0);
}

TEST(LibraryDeathTest, HND_22_ASecondSqliteIsRefusedAndBothAreNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process that has not asked yet
  EXPECT_EXIT(open_beside_a_second_library(), ::testing::ExitedWithCode(3), "libsecond_sqlite");
  EXPECT_EXIT(open_beside_a_second_library(), ::testing::ExitedWithCode(3), "libsqlite3");
}

TEST(Library, NetworkFileSystemsAreKnown) {
  for (const std::int64_t type : std::array{0x6969LL, 0xFF534D42LL, 0xFE534D42LL, 0x01021997LL, 0x00C36400LL})
    EXPECT_TRUE(is_network_file_system(type)) << type;
  EXPECT_TRUE(is_network_file_system(static_cast<std::int32_t>(0xFF534D42U))) << "where f_type is signed";
  for (const std::int64_t type : std::array{0xEF53LL, 0x58465342LL, 0x9123683ELL, 0x01021994LL})
    EXPECT_FALSE(is_network_file_system(type)) << type;
}

TEST(Library, AFolderThatCannotBeSyncedIsTold) {
  const tenure::testing::TemporaryFolder folder;
  sync_folder(folder.path());
  EXPECT_THROW(sync_folder(folder / "missing"), DiskSyncFailed);
}

}  // namespace
}  // namespace tenure::sqlite
