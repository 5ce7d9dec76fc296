#pragma once

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// The folder of journals, which only its owner may write, and files of it that are being written. Safe in a signal handler.
namespace tenure::daemon::journal {

// Behind the name that a file gets when it is on disk.
inline constexpr std::string_view kUnfinishedEnding = ".unfinished";

// Makes such a file. Who writes it holds its lock, so that one which nobody holds was left by a process that was killed. -1, and errno.
[[nodiscard]] inline int make_unfinished_file(const char* path) noexcept {
  constexpr mode_t kOwnerOnly = 0600;
  const int file = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly);
  if (file >= 0) static_cast<void>(::flock(file, LOCK_EX | LOCK_NB));  // else it may be taken for left
  return file;
}

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
