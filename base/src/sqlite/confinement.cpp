#include "library.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace tenure::sqlite {
namespace {

// Of the process, as the files are that it has open. Empty: there is none.
class ConfiningFolder {
 public:
  static ConfiningFolder& of_process() {
    static ConfiningFolder folder;
    return folder;
  }
  std::filesystem::path exchange(std::filesystem::path folder) {
    const std::scoped_lock lock(mutex_);
    return std::exchange(folder_, std::move(folder));
  }
  std::filesystem::path get() {
    const std::scoped_lock lock(mutex_);
    return folder_;
  }

 private:
  std::mutex mutex_;
  std::filesystem::path folder_;
};

bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [end_of_folder, rest] = std::ranges::mismatch(folder, path);
  return end_of_folder == folder.end() && rest != path.end();
}

bool is_within(const std::filesystem::path& path) {
  const std::filesystem::path folder = ConfiningFolder::of_process().get();
  return folder.empty() || lies_below(path.lexically_normal(), folder);
}

// The way by which SQLite opens files, as it was, with a look at what is a database: whoever calls sqlite3_open meets it too. Connections
// may outlive it, so it lasts as long as the process.
class ConfinedFiles {
 public:
  static ConfinedFiles& of_process() {
    static ConfinedFiles files;
    return files;
  }
  // In one's turn.
  void begin() {
    if (++depth_ > 1) return;
    start_library();
    sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
    if (found != former_) {
      former_ = found;
      files_ = *found;
      files_.pNext = nullptr;
      files_.zName = "tenure-confined";
      files_.xOpen = open;
    }
    sqlite3_vfs_register(&files_, 1);
  }
  void end() {
    if (--depth_ > 0) return;
    sqlite3_vfs_unregister(&files_);
    sqlite3_vfs_register(former_, 1);
  }

 private:
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) noexcept {
    try {
      if (name != nullptr && (flags & SQLITE_OPEN_MAIN_DB) != 0 && !is_within(name)) {
        file->pMethods = nullptr;
        return SQLITE_AUTH;
      }
    } catch (...) {  // SQLite is C
      file->pMethods = nullptr;
      return SQLITE_NOMEM;
    }
    sqlite3_vfs* const former = of_process().former_;
    return former->xOpen(former, name, file, flags, given);
  }

  int depth_ = 0;
  sqlite3_vfs* former_ = nullptr;
  sqlite3_vfs files_{};
};

}  // namespace

std::unique_lock<std::recursive_mutex> Confinement::turn() {
  static std::recursive_mutex turns;
  return std::unique_lock(turns);
}

Confinement::Confinement(std::filesystem::path folder) : turn_(turn()) {
  ConfinedFiles::of_process().begin();
  before_ = ConfiningFolder::of_process().exchange(std::move(folder));
}

Confinement::~Confinement() {
  (void)ConfiningFolder::of_process().exchange(std::move(before_));
  ConfinedFiles::of_process().end();
}

bool Confinement::is_in_force() { return !ConfiningFolder::of_process().get().empty(); }

// No link is followed to a database, so that the text of a path says where it leads.
void Confinement::check(const std::filesystem::path& path) {
  if (is_within(path)) return;
  const std::filesystem::path folder = ConfiningFolder::of_process().get();
  raise(
      ErrorCode::access_refused,
      fmt::format("a replay opens no database but those of its scratch folder {}", escaped(folder.string())),
      {}, path.string());
}

}  // namespace tenure::sqlite
