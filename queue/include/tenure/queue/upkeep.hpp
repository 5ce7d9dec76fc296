#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/audit.hpp>

#include <cstdint>
#include <filesystem>

// What an operator does to the file of a control database, and to nothing in it.
namespace tenure::queue {

struct MovedLog {
  std::int64_t bytes = 0;   // of the log, before
  bool is_complete = true;  // else a reader that is at work keeps a part of it
};

// Moves the log into the database; safe while others use it. `entry` is recorded before. DatabaseMissing; SchemaMismatch; StoreBusy where no
// turn to write came. Threads: any.
MovedLog checkpoint_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                     const Clock& clock);

// Both of the database and its log.
struct CompactedStore {
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
  bool is_complete = true;  // else a reader that is at work keeps the log, and no room was given back yet
};

// Writes the database anew without its free pages, while it holds the dispatcher's lock. `entry` is recorded before. LockHeld
// while a dispatcher lives. DiskError where there is no room for twice its size. Else as above. Threads: any.
CompactedStore compact_control_database(const std::filesystem::path& path, const AuditEntry& entry,
                                        const Clock& clock);

}  // namespace tenure::queue
