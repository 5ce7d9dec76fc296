#include <tenure/base/bytes.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/base/unix_socket.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::queue {
namespace {

constexpr mode_t kSocketMode = 0660;

int open_socket() { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// The first byte of a datagram.
constexpr std::string_view kLook{"\1"};
constexpr char kLane = 2;  // four little-endian numbers follow

std::string datagram_of(const Lane& lane) {
  std::string datagram{kLane};
  put(datagram, lane.queue.value);
  put(datagram, std::int64_t{lane.priority.value});
  put(datagram, lane.tenant.value);
  put(datagram, lane.kind.value);
  return datagram;
}

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
  raise(ErrorCode::disk,
        "the socket " + escaped(file.string()) + " for wake hints cannot be made: " + std::string(why));
}

}  // namespace

std::filesystem::path wake_socket_path(const std::filesystem::path& control) {
  std::filesystem::path path = control;
  path += "-wake";
  return path;
}

void send_wake_hint(const std::filesystem::path& control, const std::optional<Lane>& lane) noexcept try {
  const UnixAddress address(wake_socket_path(control));
  const Descriptor socket(open_socket());
  if (!address.fits() || !socket.is_open()) return;
  const std::string datagram = lane ? datagram_of(*lane) : std::string{kLook};
  (void)::sendto(socket.number(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 address.get(), UnixAddress::size());
} catch (...) {  // no memory for a path: the next poll finds the work
}

std::optional<Lane> read_wake_hint(std::string_view datagram) {
  if (datagram.size() != kWakeHintMax || datagram.front() != kLane) return std::nullopt;
  ByteReader numbers{datagram.substr(1)};
  const QueueNumber queue{numbers.take<std::int64_t>()};
  const auto priority = numbers.take<std::int64_t>();
  const TenantNumber tenant{numbers.take<std::int64_t>()};
  const KindNumber kind{numbers.take<std::int64_t>()};
  if (priority < limits::kPriorityHighest || priority > limits::kPriorityLowest) return std::nullopt;
  return Lane{queue, Priority{static_cast<int>(priority)}, tenant, kind};
}

int bind_wake_receiver(const std::filesystem::path& control) {
  const std::filesystem::path file = wake_socket_path(control);
  const UnixAddress address(file);
  if (!address.fits()) refuse(file, "its name is too long");
  Descriptor socket(open_socket());
  if (!socket.is_open()) refuse(file, system_text(errno));
  // Only a socket is removed: whatever else has that name is not ours.
  struct stat status {};
  if (::lstat(file.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) refuse(file, "something else has its name");
    ::unlink(file.c_str());
  }
  if (::bind(socket.number(), address.get(), UnixAddress::size()) != 0 ||
      ::chmod(address.path(), kSocketMode) != 0)
    refuse(file, system_text(errno));
  give_to_owner_of_folder(file);
  return socket.release();
}

}  // namespace tenure::queue
