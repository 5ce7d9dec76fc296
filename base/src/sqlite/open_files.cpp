#include "open_files.hpp"

#include "log_label.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/open_databases.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>

#include <cerrno>

namespace tenure::sqlite {

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return FileIdentity{status.st_dev, status.st_ino, status.st_nlink};
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  raise_system(errno, "the file cannot be looked at", path);
}

void refuse_second_name(const struct stat& status, const std::filesystem::path& path) {
  if (status.st_nlink <= 1) return;
  raise(ErrorCode::access_refused,
        fmt::format("the file has {} names (hard links); a database is opened by one name only, so remove "
                    "the others or make a copy of the file",
                    status.st_nlink),
        {}, path.string());
}

OpenFiles& OpenFiles::of_process() {
  static OpenFiles* const kept = new OpenFiles;  // connections may live until the very end
  return *kept;
}

void OpenFiles::begin_connection() {
  const std::uint64_t process = forks_of_process();
  const std::uint64_t owner = owner_;
  // Another thread of a child may have come first: then the owner was written before its connection was counted.
  if (owner != process && connections_ > 0 && owner_ == owner) refuse_in_child("a database that is open");
  owner_ = process;
  ++connections_;
}

void refuse_open_databases(std::string_view caller) {
  const std::int64_t connections = OpenFiles::of_process().connections();
  if (connections == 0) return;
  raise(
      ErrorCode::bad_configuration,
      fmt::format("{} was called while this process has {} open; close every Client, tenant and transaction "
                  "before the call, or open them in the handlers",
                  caller,
                  connections == 1 ? "a database" : fmt::format("{} connections to databases", connections)));
}

void OpenFiles::join(const FileIdentity& database, const SideFiles& beside, std::uint32_t label,
                     const std::filesystem::path& path) {
  const std::lock_guard lock{mutex_};
  const auto left = labels_left_.find(database);
  if (left != labels_left_.end() && left->second == next_label(label))
    raise(ErrorCode::database_moved,
          "the database's write-ahead log (-wal), which this process had open, is not beside it; its last "
          "commits "
          "are in that log",
          {}, path.string());
  const auto open = open_.find(database);
  if (open != open_.end() && open->second.beside != beside)
    raise(ErrorCode::database_moved,
          "this process still has the database open with another -wal and -shm than lie beside it now", {},
          path.string());
  if (left != labels_left_.end()) labels_left_.erase(left);
  Entry& entry = open_[database];
  entry.beside = beside;
  ++entry.connections;
}

void OpenFiles::leave(const FileIdentity& database) {
  const std::lock_guard lock{mutex_};
  const auto entry = open_.find(database);
  if (--entry->second.connections == 0) open_.erase(entry);
}

void OpenFiles::leave_log(const FileIdentity& database, std::uint32_t label) {
  constexpr std::size_t kLeftMax = 100'000;
  const std::lock_guard lock{mutex_};
  if (labels_left_.size() >= kLeftMax) labels_left_.clear();
  labels_left_[database] = label;
}

}  // namespace tenure::sqlite
