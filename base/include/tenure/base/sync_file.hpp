#pragma once

#include <filesystem>

namespace tenure {

// What was written to the file, or which names the folder has, is on disk when it returns. A link is not followed. Not for a file
// that a SQLite connection of this process has open: closing another descriptor of it drops the process's locks.
// DiskSyncFailed; else as raise_system() says. Threads: any.
void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

}  // namespace tenure
