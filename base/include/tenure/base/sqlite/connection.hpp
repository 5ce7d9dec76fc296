#pragma once

#include <tenure/base/sqlite/query.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

struct sqlite3;

namespace tenure::sqlite {

enum class Access : std::uint8_t {
  read_only,
  read_write,
  create,        // only where a tenant is created or a store is initialised: opening never creates
  look,          // for reading; changes nothing on disk, not even the log's index: see look.hpp
  look_at_file,  // the same without the log, whether there is one or not
  alone,         // a file that nobody else knows yet: no log, nothing beside it, and of no use after a crash
};

struct ConnectionOptions {
  Access access = Access::read_write;
  bool secure_delete = false;                     // on wherever payloads, errors or tenants' data are deleted
  std::chrono::milliseconds busy_wait_max{5000};  // how long SQLite's own lock is waited for; then StoreBusy
  std::int64_t journal_size_limit_bytes = 16LL << 20U;
};

// One connection with the settings that every connection of ours has, each read back when it is opened: WAL, NORMAL, no
// automatic checkpoint, defensive, untrusted schema, no mmap, foreign keys, cell checks, no ATTACH, no symlinks, no URIs of others.
// A connection that did not get all of them is not handed out. One for looking takes the journal mode as it is. One that
// is alone has its journal in memory and no syncs, so that whoever makes a file syncs it at the end, and may attach, for VACUUM INTO.
// In a child of fork() it is of no use (ForkedProcess), and no other can be opened there while the parent had one: SQLite keeps
// count of its locks for each process, and the copy of that count is wrong.
// Threads: one at a time; statements are the connection's children and go first. It does not assert that (ThreadBound): tenants'
// connections go from slot to slot with their leases, and a group's commit is made by whichever caller leads, each under a lock.
class Connection {
 public:
  // DatabaseMissing, AccessRefused (a symlink, or a file with a second hard link), DatabaseDamaged, DiskError, ForkedProcess.
  Connection(const std::filesystem::path& path, const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The cached statement of a constant query. It must not be in use already.
  [[nodiscard]] Statement statement(const Query& query);
  // One or more statements without parameters or rows, not cached: DDL.
  void execute(const Query& script);

  [[nodiscard]] std::int64_t last_insert_row() const;
  // For whoever has inserted between a caller's insert and its question.
  void set_last_insert_row(std::int64_t row);
  [[nodiscard]] std::int64_t changes() const;
  // Grows when another connection has committed; costs no lock.
  [[nodiscard]] std::int64_t data_version();
  // False in a child of fork(): there is nothing to roll back there.
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] sqlite3* native() const;

  // False once the file, its WAL or the WAL's index was unlinked or replaced under the connection, or the file has a second name:
  // commits would go nowhere, or to where others do not see them.
  [[nodiscard]] bool still_on_disk();
  // Pages in the WAL after this connection's last commit; 0 before the first.
  [[nodiscard]] std::int64_t wal_pages() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
