#pragma once

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// The folder of journals, which only its owner may write. Safe in a signal handler.
namespace tenure::daemon::journal {

// 0 where it is there or was made, else errno: ENOTDIR for what is no folder, or a link; EPERM for one of somebody else, or that others
// may write.
[[nodiscard]] inline int make_journal_folder(const char* folder) noexcept {
  constexpr mode_t kWrittenByOthers = 0022;
  if (::mkdir(folder, 0700) != 0 && errno != EEXIST) return errno;
  struct stat status {};
  if (::lstat(folder, &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return status.st_uid == ::geteuid() && (status.st_mode & kWrittenByOthers) == 0 ? 0 : EPERM;
}

}  // namespace tenure::daemon::journal
