#pragma once

#include <filesystem>
#include <mutex>

namespace tenure::sqlite {

// While one lives, this process opens no database but those below `folder`: for replays, which must reach nothing that is in use. Whoever
// calls SQLite itself is refused too (SQLITE_AUTH), unless he names one of SQLite's ways to open files (a VFS) instead of taking the default
// one. What is open already stays open. One inside another takes its place until it ends; one of another thread waits for that.
// Threads: any; it ends on the one that made it.
class Confinement {
 public:
  // An absolute path without links.
  explicit Confinement(std::filesystem::path folder);
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  // What a confined piece of work begins with that opens other databases before: while it is held, no other thread is confined.
  [[nodiscard]] static std::unique_lock<std::recursive_mutex> turn();
  [[nodiscard]] static bool is_in_force();
  // AccessRefused where one is in force and `path`, an absolute one, does not lie below its folder.
  static void check(const std::filesystem::path& path);

 private:
  std::unique_lock<std::recursive_mutex> turn_;
  std::filesystem::path before_;
};

}  // namespace tenure::sqlite
