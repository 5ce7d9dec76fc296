#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/sqlite/writer_queue.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace tenure::sqlite {

struct DatabaseOptions {
  ConnectionOptions connection = {};
  bool writer_queue = false;  // line up with other processes; for the control database
  std::chrono::milliseconds queue_wait_max =
      WriterQueue::kWaitMax;    // for the turn in that line; then StoreBusy
  std::size_t readers_max = 4;  // read-only connections kept; more callers wait. 1 to 64
  // Called at the beginning of each write transaction, before anybody's work; what it throws, all who share the transaction get.
  std::function<void(Connection&)> at_begin = {};
};

// A database file as this process sees it: one writer connection, a few readers, group commit, gated checkpoints.
// In a child of fork() every call is ForkedProcess, and its destructor leaves everything to the parent.
// Threads: every method from any thread. Destroy it after the last call has returned.
class Database {
 public:
  Database(const std::filesystem::path& path, const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs `work` in a write transaction and commits it. Calls that arrive while another thread's commit or sync is under
  // way share the next commit and its one sync, each behind a savepoint of its own: a call that throws undoes itself
  // only and its exception goes to its caller. Whoever asked for `durable` returns after a sync that covers its commit.
  // `work` may run on another thread, of the callers or of the database, and must not call this database again.
  void write(Durability durability, FunctionRef<void(Connection&)> work);

  // Runs `work` with a read-only connection inside one snapshot.
  void read(FunctionRef<void(Connection&)> work);

  // What is visible is made durable: for answers that rest on another process's commit ("sync first").
  void sync();

  CheckpointResult checkpoint();
  // Size of the WAL by stat(). It does not shrink when a checkpoint is complete: that begins it anew in the same file.
  [[nodiscard]] std::int64_t wal_bytes() const;
  // Bytes of the WAL that a checkpoint would find, as of this process's last commit or checkpoint: the measure by which
  // to ask for one. After a partial checkpoint it stays, so whoever asks again does so with a pause.
  [[nodiscard]] std::int64_t bytes_to_checkpoint() const;
  // Grows when another process, or a reader of this one, may see something new.
  [[nodiscard]] std::int64_t data_version();
  [[nodiscard]] const std::filesystem::path& path() const;

  struct Counters {
    std::int64_t commits = 0;
    std::int64_t syncs = 0;
    std::int64_t writes = 0;  // calls of write(); more than commits where they shared one
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
