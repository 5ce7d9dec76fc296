#include <tenure/base/lock_holders.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace tenure::queue {
namespace {

constexpr mode_t kLockMode =
    0660;  // applications of the group never take it, but its holder may change users

}  // namespace

std::filesystem::path dispatcher_lock_path(const std::filesystem::path& control_database) {
  return std::filesystem::path{control_database} += "-dispatcher";
}

Result<Descriptor> try_lock_dispatcher_file(const std::filesystem::path& control_database) {
  const auto path = dispatcher_lock_path(control_database);
  Descriptor descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kLockMode)};
  if (!descriptor.is_open()) raise_system(errno, "cannot open the dispatcher's lock file", path);
  const int locked = lock_file(descriptor.number(), WhenLocked::give_up);
  if (locked == EWOULDBLOCK)
    return fail(
        ErrorCode::lock_held,
        "the dispatcher's lock of this control database is held by " + lock_holders(descriptor.number()), {},
        path);
  if (locked != 0) raise_system(locked, "cannot lock the dispatcher's lock file", path);
  static_cast<void>(::fchmod(descriptor.number(), kLockMode));
  give_to_owner_of_folder(path);
  return descriptor;
}

}  // namespace tenure::queue
