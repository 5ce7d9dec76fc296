#include <tenure/base/lock_holders.hpp>
#include <tenure/daemon/control_lock.hpp>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr mode_t kMode = 0660;  // applications of the group never take it, but its holder may change users

}  // namespace

std::filesystem::path control_lock_path(const std::filesystem::path& control_database) {
  return std::filesystem::path{control_database} += "-dispatcher";
}

Result<ControlLock> ControlLock::try_acquire(const std::filesystem::path& control_database) {
  const auto path = control_lock_path(control_database);
  Descriptor descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode)};
  if (!descriptor.is_open()) raise_system(errno, "cannot open the dispatcher's lock file", path);
  const int locked = lock_file(descriptor.number(), WhenLocked::give_up);
  if (locked == EWOULDBLOCK)
    return fail(ErrorCode::lock_held, lock_holders(descriptor.number()) + " holds the dispatcher's lock of this control database",
                {}, path);
  if (locked != 0) raise_system(locked, "cannot lock the dispatcher's lock file", path);
  static_cast<void>(::fchmod(descriptor.number(), kMode));
  return ControlLock{std::move(descriptor)};
}

}  // namespace tenure::daemon
