#include <tenure/base/error.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/system.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace tenure {
namespace {

struct stat status_of_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) raise_system(errno, "the folder cannot be looked at", folder);
  return status;
}

// By the descriptor: a name may be another file's by now, and root gives nobody what is not his.
void give(int descriptor, const struct stat& to, const std::filesystem::path& path) {
  if (::geteuid() != 0) return;
  struct stat made {};
  if (::fstat(descriptor, &made) != 0) raise_system(errno, "it cannot be looked at", path);
  const bool is_the_only_name = S_ISDIR(made.st_mode) || made.st_nlink == 1;
  if (made.st_uid != 0 || !is_the_only_name || S_ISLNK(made.st_mode)) return;
  if (made.st_uid == to.st_uid && made.st_gid == to.st_gid) return;
  if (::fchownat(descriptor, "", to.st_uid, to.st_gid, AT_EMPTY_PATH) != 0)
    raise_system(errno, "it cannot be given to the owner of its folder", path);
}

}  // namespace

// The umask is all threads', so the mode comes from a thread that has one of its own. chmod() afterwards would take away the bit by which groups are
// handed down, or name it, which a service may not (RestrictSUIDSGID=).
int make_folder_with_mode(const std::filesystem::path& folder, mode_t mode) {
  int error = 0;
  try {
    std::thread([&] {
      if (::unshare(CLONE_FS) != 0) {
        error = errno;
        return;
      }
      ::umask(0);
      if (::mkdir(folder.c_str(), mode) != 0) error = errno;
    }).join();
  } catch (const std::system_error& refused) {
    error = refused.code().value();
  }
  return error;
}

bool make_folder(const std::filesystem::path& folder) {
  constexpr mode_t kOfOwner = 0700;
  constexpr mode_t kKept = 0775;
  const struct stat parent = status_of_folder_of(folder);
  const int error = make_folder_with_mode(folder, kOfOwner | (parent.st_mode & kKept));
  if (error == EEXIST) return false;
  if (error != 0) raise_system(error, "the folder cannot be made", folder);
  const Descriptor made{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!made.is_open()) raise_system(errno, "the new folder cannot be opened", folder);
  give(made.number(), parent, folder);
  return true;
}

void make_folders(const std::filesystem::path& folder) {
  struct stat status {};
  if (folder.empty() || ::stat(folder.c_str(), &status) == 0) return;
  make_folders(folder.parent_path());
  static_cast<void>(make_folder(folder));
}

void give_to_owner_of_folder(const std::filesystem::path& path) {
  if (::geteuid() != 0) return;
  const struct stat folder = status_of_folder_of(path);
  const Descriptor made{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!made.is_open()) raise_system(errno, "it cannot be looked at", path);
  give(made.number(), folder, path);
}

}  // namespace tenure
