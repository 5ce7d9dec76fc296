#include <tenure/base/lock_holders.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr mode_t kMode = 0660;  // applications of the group never take it, but its holder may change users

// Whether the open file still is the one that has the name.
bool is_named(int descriptor, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

Result<ControlLock> ControlLock::try_acquire(const std::filesystem::path& control_database) {
  const auto path = queue::dispatcher_lock_path(control_database);
  Descriptor descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode)};
  if (!descriptor.is_open()) raise_system(errno, "cannot open the dispatcher's lock file", path);
  const int locked = lock_file(descriptor.number(), WhenLocked::give_up);
  if (locked == EWOULDBLOCK)
    return fail(
        ErrorCode::lock_held,
        "the dispatcher's lock of this control database is held by " + lock_holders(descriptor.number()), {},
        path);
  if (locked != 0) raise_system(locked, "cannot lock the dispatcher's lock file", path);
  static_cast<void>(::fchmod(descriptor.number(), kMode));
  give_to_owner_of_folder(path);
  ControlLock lock{path, std::move(descriptor)};
  lock.require_in_place();
  return lock;
}

void ControlLock::require_in_place() const {
  if (is_named(descriptor_.number(), path_)) return;
  raise(ErrorCode::database_moved,
        "the dispatcher's lock file was removed or replaced while it was held; leaving, since another "
        "dispatcher may start",
        {}, path_.string());
}

}  // namespace tenure::daemon
