#include <tenure/daemon/control_lock.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr mode_t kMode = 0660;  // applications of the group never take it, but its holder may change users

std::string holder_text(int descriptor) {
  std::array<char, 24> buffer{};
  const auto size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  std::string_view text{buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  text = text.substr(0, text.find('\n'));
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size() || pid <= 0) return "another process";
  return "pid " + std::to_string(pid) + " or a worker process of it";
}

void write_pid(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  // Only for people: who cannot read it still meets the lock.
  if (::ftruncate(descriptor, 0) == 0) static_cast<void>(::pwrite(descriptor, text.data(), text.size(), 0));
}

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
    return fail(ErrorCode::lock_held, holder_text(descriptor.number()) + " dispatches this control database",
                {}, path);
  if (locked != 0) raise_system(locked, "cannot lock the dispatcher's lock file", path);
  static_cast<void>(::fchmod(descriptor.number(), kMode));
  write_pid(descriptor.number());
  return ControlLock{std::move(descriptor)};
}

}  // namespace tenure::daemon
