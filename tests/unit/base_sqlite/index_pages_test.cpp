#include "support/temporary_folder.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<bool> is_disk_full = false;
std::atomic<off_t> reserved_of_index = 0;

bool is_index(int descriptor) {
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor))
      .string()
      .ends_with("-shm");
}

}  // namespace

// In the place of the C library's.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
extern "C" int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  if (is_disk_full) {
    errno = ENOSPC;
    return -1;
  }
  if (is_index(descriptor)) reserved_of_index = offset + size;
  return static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, size));
}

namespace tenure::sqlite {
namespace {

constexpr off_t kFirstRegion = 32 * 1024;  // https://sqlite.org/walformat.html#the_wal_index_file_format

class IndexPages : public ::testing::Test {
 protected:
  void SetUp() override { reserved_of_index = 0; }
  void TearDown() override { is_disk_full = false; }

  void write(Access access) const {
    Connection connection{folder_ / "a.db", {.access = access}};
    connection.execute({"write", "create table if not exists thing (id integer primary key) strict"});
  }
  tenure::testing::TemporaryFolder folder_;
};

TEST_F(IndexPages, AreReservedBeforeTheyAreWrittenTo) {
  write(Access::create);
  EXPECT_EQ(reserved_of_index, kFirstRegion);
}

TEST_F(IndexPages, WithoutRoomAreAnErrorOfTheDiskAndLaterTheyAreThere) {
  write(Access::create);
  is_disk_full = true;
  EXPECT_THROW(write(Access::read_write), DiskError);
  is_disk_full = false;
  EXPECT_NO_THROW(write(Access::read_write));
}

}  // namespace
}  // namespace tenure::sqlite
