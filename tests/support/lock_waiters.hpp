#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>

namespace tenure::testing {

// How many flock calls wait for the file, in any process: their lines in /proc/locks have an arrow.
inline int lock_waiters(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return 0;
  const std::string inode = ":" + std::to_string(status.st_ino) + " ";
  std::ifstream locks{"/proc/locks"};
  int count = 0;
  for (std::string line; std::getline(locks, line);)
    if (line.find("-> FLOCK") != std::string::npos && line.find(inode) != std::string::npos) ++count;
  return count;
}

inline void wait_for_lock_waiters(const std::filesystem::path& file, int count) {
  while (lock_waiters(file) != count) std::this_thread::yield();
}

}  // namespace tenure::testing
