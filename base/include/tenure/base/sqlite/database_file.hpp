#pragma once

#include <filesystem>
#include <memory>
#include <sys/types.h>

namespace tenure::sqlite {

// The file of a database as bytes, by SQLite's own file system, for what is done to it while no connection of ours has it open. A descriptor
// of our own would not do: closing one drops every lock that this process has on that file, also those of a connection that somebody
// else has opened meanwhile. Threads: one at a time.
class DatabaseFile {
 public:
  // Makes it, empty, with this mode whatever the umask. Nothing that is there is opened for writing or changed. 0, or the value of errno:
  // EEXIST where something lies there, a link too.
  [[nodiscard]] static int make(const std::filesystem::path& path, mode_t mode);

  // Opens one that is there. What raise_system says of it.
  explicit DatabaseFile(const std::filesystem::path& path);
  ~DatabaseFile();
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;

  // All of it is on disk when this returns. DiskSyncFailed.
  void sync();

 private:
  struct Open;
  std::filesystem::path path_;
  std::unique_ptr<Open> open_;
};

// The same for whoever only syncs one.
void sync_database_file(const std::filesystem::path& path);

}  // namespace tenure::sqlite
