#include "library.hpp"
#include "open_files.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/commit_barrier.hpp>
#include <tenure/base/sqlite/result_code.hpp>

#include <sqlite3.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tenure::sqlite {
namespace {

constexpr int kWriteLock = 0;  // of the eight locks of a log's index: https://sqlite.org/walformat.html
constexpr int kIndexPageBytes = 32768;  // the same page
constexpr std::chrono::microseconds kLookAgain{200};

// By SQLite's own file object, since a descriptor of ours would drop the locks that this process has on the file.
class RawFile {
 public:
  explicit RawFile(const std::filesystem::path& path)
      : name_(sqlite3_create_filename(path.c_str(), (path.native() + "-journal").c_str(),
                                      (path.native() + "-wal").c_str(), 0, nullptr)) {
    sqlite3_vfs* const disk = sqlite3_vfs_find(nullptr);
    TENURE_INVARIANT(disk != nullptr && name_ != nullptr);
    memory_.resize(static_cast<std::size_t>(disk->szOsFile));
    int opened_as = 0;
    const int code = disk->xOpen(
        disk, name_, file(), SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, &opened_as);
    if (code == SQLITE_OK && file()->pMethods->iVersion >= 2) return;
    close();
    raise_sqlite(nullptr, code == SQLITE_OK ? SQLITE_IOERR : code, path.native());
  }
  ~RawFile() { close(); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  [[nodiscard]] sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  [[nodiscard]] const sqlite3_io_methods& methods() { return *file()->pMethods; }

 private:
  void close() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
    sqlite3_free_filename(name_);
  }

  sqlite3_filename name_;
  std::vector<std::byte> memory_;  // of operator new, which is aligned for everything
};

}  // namespace

struct CommitBarrier::Impl {
  Impl(const std::filesystem::path& path, std::chrono::milliseconds wait_max)
      : raw(path), until(std::chrono::steady_clock::now() + wait_max) {
    const std::string_view where = path.native();
    // As whoever has it open, so that no last close removes the log meanwhile.
    take(where, [&] { return raw.methods().xLock(raw.file(), SQLITE_LOCK_SHARED); });
    void volatile* index = nullptr;
    take(where, [&] { return raw.methods().xShmMap(raw.file(), 0, kIndexPageBytes, 1, &index); });
    has_index = true;
    take(where, [&] {
      return raw.methods().xShmLock(raw.file(), kWriteLock, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
    });
    has_lock = true;
  }
  ~Impl() { end(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  template <class Call>
  void take(std::string_view where, Call call) {
    while (true) {
      const int code = call();
      if (code == SQLITE_OK) return;
      if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= until) {
        end();
        raise_sqlite(nullptr, code, where);
      }
      std::this_thread::sleep_for(kLookAgain);
    }
  }
  // Safe twice.
  void end() {
    if (has_lock) raw.methods().xShmLock(raw.file(), kWriteLock, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    if (has_index) raw.methods().xShmUnmap(raw.file(), 0);
    raw.methods().xUnlock(raw.file(), SQLITE_LOCK_NONE);
    has_lock = has_index = false;
  }

  RawFile raw;
  std::chrono::steady_clock::time_point until;
  bool has_index = false;
  bool has_lock = false;
};

CommitBarrier::CommitBarrier(const std::filesystem::path& path, std::chrono::milliseconds wait_max) {
  start_library();
  OpenFiles::of_process().begin_connection();
  try {
    impl_ = std::make_unique<Impl>(std::filesystem::absolute(path), wait_max);
  } catch (...) {
    OpenFiles::of_process().end_connection();
    throw;
  }
}

CommitBarrier::~CommitBarrier() {
  impl_.reset();
  OpenFiles::of_process().end_connection();
}

}  // namespace tenure::sqlite
