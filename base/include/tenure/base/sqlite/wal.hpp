#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>
#include <filesystem>

// The two things that may be done to a write-ahead log, and nothing else is ever done to one.
namespace tenure::sqlite {

// Syncs the WAL through SQLite's own file object: what this or any other connection has committed is on disk when it
// returns. It holds no lock, so others commit meanwhile; FULL would hold the writer lock for the length of the sync.
// (SQLite itself syncs once under the lock each time the WAL begins anew, which its recovery rests on.)
// Throws DiskSyncFailed, after which nothing more may be acknowledged.
void sync_wal(Connection& connection);

// Size of the log of the database at `path` by stat(); 0 where there is none.
[[nodiscard]] std::int64_t wal_bytes(const std::filesystem::path& path);

// Moves a log that nobody has open into its database and removes it, as the last close does; two processes that close at once may each
// take the other for somebody who stays. No harm where there is none, where it is in use, or where the database cannot be opened.
void end_log(const std::filesystem::path& path) noexcept;

struct CheckpointResult {
  enum class Outcome : std::uint8_t {
    complete,  // every frame is in the database
    partial,   // a reader, or another checkpoint, was in the way
    nothing,   // SQLite answered -1 frames: there was no WAL to look at
  };
  Outcome outcome = Outcome::nothing;
  std::int64_t frames_in_wal = 0;
  std::int64_t frames_moved = 0;
};

// The gated checkpoint. `gate` holds BEGIN IMMEDIATE while `checkpointer`, another connection of this process to the
// same file, runs PASSIVE; then the gate is opened. Without the gate a commit that resets the WAL during the checkpoint
// damages the database (all SQLite versions to 3.51.2 but 3.44.6 and 3.50.7, https://sqlite.org/wal.html#walresetbug).
// The caller holds the WriterQueue's turn where the file has one.
CheckpointResult checkpoint_gated(Connection& gate, Connection& checkpointer);

}  // namespace tenure::sqlite
