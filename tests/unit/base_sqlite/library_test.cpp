#include "sqlite/library.hpp"

#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/library_memory.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

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
  if (dlopen(SECOND_SQLITE, RTLD_NOW | RTLD_LOCAL) == nullptr) {
    std::fputs(dlerror(), stderr);
    std::exit(4);
  }
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

// How much memory SQLite says that it has, with a connection open.
[[noreturn]] void tell_counted_memory() {
  const tenure::testing::TemporaryFolder folder;
  const Connection connection{folder / "a.db", {.access = Access::create}};
  std::exit(sqlite3_memory_used() > 0 ? 1 : 0);
}

TEST(LibraryDeathTest, MemoryIsCountedForAnApplicationAndNotForAProgramThatWantsNone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(tell_counted_memory(), ::testing::ExitedWithCode(1), "");
  EXPECT_EXIT(
      {
        count_no_memory();
        tell_counted_memory();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Library, AFolderThatCannotBeSyncedIsTold) {
  const tenure::testing::TemporaryFolder folder;
  sync_folder(folder.path());
  EXPECT_THROW(sync_folder(folder / "missing"), DiskSyncFailed);
}

}  // namespace
}  // namespace tenure::sqlite
