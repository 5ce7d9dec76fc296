#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <sys/stat.h>

// Which files the connections of this process have open. Internal.
namespace tenure::sqlite {

struct FileIdentity {
  dev_t device = 0;
  ino_t number = 0;
  nlink_t names = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

// By stat() and never by open(): closing a descriptor of ours would drop the process's locks on the file. Nothing where there is none.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

// Each name has a log and a lock table of its own, and what is written by one is never seen by the other. AccessRefused.
void refuse_second_name(const struct stat& status, const std::filesystem::path& path);

// The log and its index beside a database.
using SideFiles = std::array<std::optional<FileIdentity>, 2>;

// SQLite keeps one list of locks, and one index of the log, for each inode that the process has open, whatever the names are. So two
// things must not happen, and are refused here: a connection in a child of fork() while the list is the parent's, and a connection to
// an open database beside another log than it has there, as while files are moved. Refused is also a database whose log this process
// has left behind elsewhere, until the two are together again: what is in that log was committed.
// Threads: any.
class OpenFiles {
 public:
  static OpenFiles& of_process();

  // ForkedProcess.
  void begin_connection();
  void end_connection() { --connections_; }
  [[nodiscard]] std::int64_t connections() const { return connections_; }

  // `label` is the log's (log_label.hpp). DatabaseMoved.
  void join(const FileIdentity& database, const SideFiles& beside, std::uint32_t label,
            const std::filesystem::path& path);
  void leave(const FileIdentity& database);
  void leave_log(const FileIdentity& database, std::uint32_t label);

 private:
  struct Entry {
    SideFiles beside;
    int connections = 0;
  };
  std::atomic<std::uint64_t> owner_{0};
  std::atomic<std::int64_t> connections_{0};
  std::mutex mutex_;
  std::map<FileIdentity, Entry> open_;
  std::map<FileIdentity, std::uint32_t> labels_left_;  // of the logs that were left behind
};

}  // namespace tenure::sqlite
