#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/database_file.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cerrno>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sqlite/library.hpp>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

// Whose a new file of a database is, while it comes into being and behind that.
namespace {

std::optional<struct statvfs> room_for_test;

}  // namespace

// In the place of the C library's: how much room the disk of a test has.
extern "C" int statvfs(const char* path, struct statvfs* room) noexcept {
  if (room_for_test) {
    *room = *room_for_test;
    return 0;
  }
  return reinterpret_cast<int (*)(const char*, struct statvfs*)>(::dlsym(RTLD_NEXT, "statvfs"))(path, room);
}

namespace tenure::sqlite {
namespace {

namespace fs = std::filesystem;

using OpenCall = int (*)(const char*, int, int);
using CloseCall = int (*)(int);

struct Watched {
  fs::path path;  // whose opening and closing are watched
  fs::path victim;
  OpenCall open = nullptr;
  CloseCall close = nullptr;
  std::vector<mode_t> modes_at_open;
  bool has_swapped = false;
};
Watched* watched_file = nullptr;

int open_and_look(const char* path, int flags, int mode) {
  const int descriptor = watched_file->open(path, flags, mode);
  struct stat status {};
  if (watched_file->path == path && ::fstat(descriptor, &status) == 0)
    watched_file->modes_at_open.push_back(status.st_mode & 0777);
  return descriptor;
}

int close_and_swap(int descriptor) {
  if (!watched_file->has_swapped && fs::exists(watched_file->path)) {
    watched_file->has_swapped = true;
    fs::remove(watched_file->path);
    fs::create_symlink(watched_file->victim, watched_file->path);
  }
  return watched_file->close(descriptor);
}

class NewDatabaseFile : public ::testing::Test {
 protected:
  NewDatabaseFile() {
    start_library();
    watched_file = &watched_;
    std::ofstream{watched_.victim};
    fs::permissions(watched_.victim, fs::perms{0600});
    watched_.open = reinterpret_cast<OpenCall>(files_->xGetSystemCall(files_, "open"));
    watched_.close = reinterpret_cast<CloseCall>(files_->xGetSystemCall(files_, "close"));
    before_ = ::umask(0);
  }
  ~NewDatabaseFile() override {
    ::umask(before_);
    files_->xSetSystemCall(files_, "open", nullptr);
    files_->xSetSystemCall(files_, "close", nullptr);
    watched_file = nullptr;
  }
  NewDatabaseFile(const NewDatabaseFile&) = delete;
  NewDatabaseFile& operator=(const NewDatabaseFile&) = delete;

  testing::TemporaryFolder folder_;
  sqlite3_vfs* files_ = sqlite3_vfs_find("unix");
  mode_t before_ = 0;
  Watched watched_{.path = folder_ / "new.db", .victim = folder_ / "victim"};
};

TEST_F(NewDatabaseFile, IsAtNoTimeForMoreThanItsModeSays) {
  files_->xSetSystemCall(files_, "open", reinterpret_cast<sqlite3_syscall_ptr>(&open_and_look));
  ASSERT_EQ(DatabaseFile::make(watched_.path, 0600), 0);
  EXPECT_EQ(watched_.modes_at_open, std::vector<mode_t>{0600});
  EXPECT_EQ(fs::status(watched_.path).permissions(), fs::perms{0600});
}

TEST_F(NewDatabaseFile, HasItsModeWhateverTheUmask) {
  ::umask(0077);
  ASSERT_EQ(DatabaseFile::make(watched_.path, 0640), 0);
  EXPECT_EQ(fs::status(watched_.path).permissions(), fs::perms{0640});
}

TEST_F(NewDatabaseFile, WhatHasTakenItsNameMeanwhileKeepsItsMode) {
  files_->xSetSystemCall(files_, "close", reinterpret_cast<sqlite3_syscall_ptr>(&close_and_swap));
  EXPECT_EQ(DatabaseFile::make(watched_.path, 0644), 0);
  ASSERT_TRUE(watched_.has_swapped);
  EXPECT_EQ(fs::status(watched_.victim).permissions(), fs::perms{0600});
}

int open_on_full_disk(const char* path, int flags, int mode) {
  if (watched_file->path == path && (flags & O_CREAT) != 0) {
    errno = ENOSPC;
    return -1;
  }
  return watched_file->open(path, flags, mode);
}

// SQLite tries to open for reading what it could not make, so that the reason is lost.
TEST_F(NewDatabaseFile, OnAFullDiskIsRefusedAsThat) {
  files_->xSetSystemCall(files_, "open", reinterpret_cast<sqlite3_syscall_ptr>(&open_on_full_disk));
  EXPECT_EQ(DatabaseFile::make(watched_.path, 0600), EIO);
  room_for_test = {.f_bavail = 0, .f_files = 10, .f_favail = 3};
  EXPECT_EQ(DatabaseFile::make(watched_.path, 0600), ENOSPC);
  room_for_test = {.f_bavail = 5, .f_files = 10, .f_favail = 0};
  EXPECT_EQ(DatabaseFile::make(watched_.path, 0600), ENOSPC);
  room_for_test = {.f_bavail = 5, .f_files = 0, .f_favail = 0};  // a file system that counts none
  EXPECT_EQ(DatabaseFile::make(watched_.path, 0600), EIO);
  room_for_test.reset();
}

}  // namespace
}  // namespace tenure::sqlite
