#pragma once

#include <filesystem>
#include <set>
#include <string>

// What concerns the SQLite library of this process, or the file system below it, and no single connection.
namespace tenure::sqlite {

// Once per process, before the first connection: URI file names off, SQLite's own messages into our log.
// Raises BadConfiguration where this process can have no connection: a library without threads, or two SQLite
// libraries, of which each drops the other's file locks.
void start_library();

// The loaded objects (files) that bring a SQLite library of their own.
[[nodiscard]] std::set<std::string> sqlite_libraries();

// Network file systems keep neither the locks nor the shared memory that a WAL needs. Raises
// BadConfiguration.
void refuse_network_file_system(const std::filesystem::path& folder);

// Makes the creation of a file in `folder` outlive a power cut. Raises DiskSyncFailed.
void sync_folder(const std::filesystem::path& folder);

}  // namespace tenure::sqlite
