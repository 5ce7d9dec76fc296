#include "library.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

namespace tenure::sqlite {
namespace {

int open_flags(bool is_new) {
  constexpr int kThere = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE;
  return is_new ? kThere | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE : kThere;
}

// Where it could not be made SQLite tries to open it for reading, and what was wrong is forgotten.
int error_of_making(const std::filesystem::path& path, int error) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  struct stat status {};
  if (error != ENOENT || ::stat(folder.c_str(), &status) != 0) return error;
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return errno;
  struct statvfs room {};
  const bool is_full = ::statvfs(folder.c_str(), &room) == 0 &&
                       (room.f_bavail == 0 || (room.f_files != 0 && room.f_favail == 0));
  return is_full ? ENOSPC : EIO;
}

}  // namespace

struct DatabaseFile::Open {
  // `error` is 0 behind it, or the value of errno. `mode_of`: what is made gets its mode; nothing: there is nothing to make.
  Open(const std::filesystem::path& path, int flags, const std::string& mode_of = {})
      : files(sqlite3_vfs_find(nullptr)) {
    std::array<const char*, 2> parameter{"modeof", mode_of.c_str()};
    name = sqlite3_create_filename(path.c_str(), "", "", mode_of.empty() ? 0 : 1, parameter.data());
    if (files == nullptr || name == nullptr) throw std::bad_alloc();
    memory.resize(1 + static_cast<std::size_t>(files->szOsFile) / sizeof(std::max_align_t));
    int given = 0;
    errno = 0;
    if (files->xOpen(files, name, file(), flags, &given) != SQLITE_OK) error = errno == 0 ? EIO : errno;
    else if ((given & SQLITE_OPEN_READWRITE) == 0)  // it is opened for reading, where it may not be written
      error = (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? EEXIST : EACCES;
  }
  ~Open() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
    sqlite3_free_filename(name);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  [[nodiscard]] sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory.data()); }

  sqlite3_vfs* files;
  const char* name = nullptr;
  std::vector<std::max_align_t> memory = {};
  int error = 0;
};

int DatabaseFile::make(const std::filesystem::path& path, mode_t mode) {
  start_library();
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return EEXIST;
  // SQLite makes it with the mode of another file, and by its own descriptor: at no time it is anybody's, and its name may be a link's by now.
  const Descriptor example{::memfd_create("mode", MFD_CLOEXEC)};
  if (!example.is_open() || ::fchmod(example.number(), mode) != 0) return errno;
  const Open made(path, open_flags(true) | SQLITE_OPEN_URI,
                  fmt::format("/proc/self/fd/{}", example.number()));
  return made.error == 0 ? 0 : error_of_making(path, made.error);
}

DatabaseFile::DatabaseFile(const std::filesystem::path& path) : path_(path) {
  start_library();
  open_ = std::make_unique<Open>(path, open_flags(false));
  if (open_->error != 0) raise_system(open_->error, "the file of the database cannot be opened", path);
}

DatabaseFile::~DatabaseFile() = default;

void DatabaseFile::sync() {
  sqlite3_file* const file = open_->file();
  errno = 0;
  if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
    raise_system(ErrorCode::disk_sync_failed, errno == 0 ? EIO : errno, "it could not be synced", path_);
}

void sync_database_file(const std::filesystem::path& path) { DatabaseFile(path).sync(); }

}  // namespace tenure::sqlite
