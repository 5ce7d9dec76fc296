#include <tenure/base/bytes.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tenure::queue {
namespace {

constexpr mode_t kSocketMode = 0660;

// A socket's address has room for 108 bytes; a longer path goes through a descriptor of its folder, which
// must stay open while the address is used.
struct Address {
  sockaddr_un socket{};
  std::string path;  // as it stands in the address
  bool fits = false;

  Address(const std::filesystem::path& file, const Descriptor& folder) : path(file.string()) {
    if (path.size() >= sizeof(socket.sun_path) && folder.is_open())
      path = "/proc/self/fd/" + std::to_string(folder.number()) + '/' + file.filename().string();
    fits = path.size() < sizeof(socket.sun_path);
    socket.sun_family = AF_UNIX;
    if (fits) std::memcpy(socket.sun_path, path.data(), path.size());
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&socket); }
};

int open_folder(const std::filesystem::path& file) {
  return ::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

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
  const std::filesystem::path file = wake_socket_path(control);
  const Descriptor folder(open_folder(file));
  const Address address(file, folder);
  const Descriptor socket(open_socket());
  if (!address.fits || !socket.is_open()) return;
  const std::string datagram = lane ? datagram_of(*lane) : std::string{kLook};
  (void)::sendto(socket.number(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 address.get(), sizeof(address.socket));
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
  const Descriptor folder(open_folder(file));
  const Address address(file, folder);
  if (!address.fits) refuse(file, "its name is too long");
  Descriptor socket(open_socket());
  if (!socket.is_open()) refuse(file, system_text(errno));
  // Only a socket is removed: whatever else has that name is not ours.
  struct stat status {};
  if (::lstat(file.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) refuse(file, "something else has its name");
    ::unlink(file.c_str());
  }
  if (::bind(socket.number(), address.get(), sizeof(address.socket)) != 0 ||
      ::chmod(address.path.c_str(), kSocketMode) != 0)
    refuse(file, system_text(errno));
  give_to_owner_of_folder(file);
  return socket.release();
}

}  // namespace tenure::queue
