#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

namespace tenure::sqlite {

// The writers' lock of a database that SQLite cannot open (any more), since its file is damaged. Whoever has had it open since before may
// have all in memory that a commit needs, so the damage alone keeps nobody from committing. The lock is that of the log's index, which has
// nothing to do with what the file holds: while this lives nobody commits, and who has begun to write has ended before.
// A connection of this process that is open to the file besides does no harm. Threads: one at a time.
class CommitBarrier {
 public:
  // Waits for whoever writes; then StoreBusy. DiskError where there is no file, or it cannot be opened. Where the database has no index, an empty one is
  // left beside it, as an open leaves it.
  CommitBarrier(const std::filesystem::path& path, std::chrono::milliseconds wait_max);
  ~CommitBarrier();
  CommitBarrier(const CommitBarrier&) = delete;
  CommitBarrier& operator=(const CommitBarrier&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
