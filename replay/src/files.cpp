#include "files.hpp"

#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/replay/capsule.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tenure::replay {

namespace {

namespace fs = std::filesystem;

void remove_with_side_files(const fs::path& path) noexcept {
  std::error_code ignored;
  for (const std::string_view ending : std::array<std::string_view, 4>{"", "-wal", "-shm", "-journal"})
    fs::remove(path.string() + std::string{ending}, ignored);
}

bool is_named_unfinished(const std::string& name) {
  return name.starts_with('.') && (name.ends_with(kPartEnding) || name.ends_with(kCopyEnding));
}

// Whoever writes the file holds its lock. What is at the path is looked at under it: meanwhile its writer may have given it its name.
bool is_left(const fs::path& path, const Descriptor& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.number(), &opened) == 0 && S_ISREG(opened.st_mode) &&
         ::flock(file.number(), LOCK_EX | LOCK_NB) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Has the kernel write what it holds of the file, piece by piece, so that there is little left for the sync, which nobody can end.
void write_back(const fs::path& path, FunctionRef<void()> look) {
  constexpr off_t kPiece = 4L << 20U;
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  struct stat status {};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) return;  // which the sync says
  for (off_t at = 0; at < status.st_size; at += kPiece) {
    static_cast<void>(
        ::sync_file_range(file.number(), at, kPiece,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    look();
  }
}

}  // namespace

Descriptor make_private_file(const fs::path& path) {
  constexpr mode_t kOwnerOnly = 0600;
  while (true) {
    Descriptor made{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly)};
    if (!made.is_open() || ::fchmod(made.number(), kOwnerOnly) != 0)
      raise_system(errno, "the file cannot be made", path);
    int code = 0;
    do code = ::flock(made.number(), LOCK_EX);
    while (code != 0 && errno == EINTR);
    struct stat status {};
    if (code != 0 || ::fstat(made.number(), &status) != 0)
      raise_system(errno, "the file cannot be locked", path);
    if (status.st_nlink > 0) return made;  // else somebody took it for one that was left
  }
}

void remove_unfinished(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::end(at); at.increment(error)) {
    const fs::path& path = at->path();
    if (!is_named_unfinished(path.filename().string())) continue;
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (file.is_open() && is_left(path, file)) remove_with_side_files(path);
  }
}

void Unfinished::keep_as(const std::filesystem::path& name, FunctionRef<void()> look) {
  write_back(path_, look);
  sync_file(path_);
  look();
  if (::rename(path_.c_str(), name.c_str()) != 0) raise_system(errno, "the file cannot get its name", name);
  is_kept_ = true;
  sync_folder(name.parent_path());
}

void Unfinished::remove() noexcept {
  if (!is_kept_) remove_with_side_files(path_);
}

}  // namespace tenure::replay
