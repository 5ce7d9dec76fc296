#pragma once

#include <tenure/base/sqlite/wal.hpp>

#include <chrono>
#include <filesystem>

namespace tenure::sqlite {

// Writes the whole database anew, without its free pages and with the rows of each table side by side, and moves the log into it. Others
// read meanwhile, and whoever writes waits in line until it is done. Beside the database there must be room for twice its size: for its
// log, and for a file in TMPDIR, or /var/tmp, which has no name. StoreBusy where the turn to write has not come within `wait_max`;
// DiskError where there is no room, and nothing was changed. What became of the log: while a reader keeps it no room is given
// back. Threads: any.
[[nodiscard]] CheckpointResult compact_database(const std::filesystem::path& path,
                                                std::chrono::milliseconds wait_max);

}  // namespace tenure::sqlite
