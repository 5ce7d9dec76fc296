#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/wake_hint.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace tenure::queue {
namespace {

constexpr mode_t kSocketMode = 0660;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

// A socket's address has room for 108 bytes; a longer path goes through a descriptor of its folder, which
// must stay open while the address is used.
struct Address {
  sockaddr_un socket{};
  std::string path;  // as it stands in the address
  bool fits = false;

  Address(const std::filesystem::path& file, const Descriptor& folder) : path(file.string()) {
    if (path.size() >= sizeof(socket.sun_path) && folder.get() >= 0)
      path = "/proc/self/fd/" + std::to_string(folder.get()) + '/' + file.filename().string();
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
  for (const std::int64_t number :
       {lane.queue.value, std::int64_t{lane.priority.value}, lane.tenant.value, lane.kind.value}) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      datagram += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xffU);
  }
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
  if (!address.fits || socket.get() < 0) return;
  const std::string datagram = lane ? datagram_of(*lane) : std::string{kLook};
  (void)::sendto(socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL, address.get(),
                 sizeof(address.socket));
} catch (...) {  // no memory for a path: the next poll finds the work
}

std::optional<Lane> read_wake_hint(std::string_view datagram) {
  if (datagram.size() != kWakeHintMax || datagram.front() != kLane) return std::nullopt;
  std::array<std::int64_t, 4> numbers{};
  std::size_t at = 1;
  for (std::int64_t& number : numbers) {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8)
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(datagram[at++])) << shift;
    number = static_cast<std::int64_t>(bits);
  }
  const auto& [queue, priority, tenant, kind] = numbers;
  if (priority < limits::kPriorityHighest || priority > limits::kPriorityLowest) return std::nullopt;
  return Lane{QueueNumber{queue}, Priority{static_cast<int>(priority)}, TenantNumber{tenant},
              KindNumber{kind}};
}

int bind_wake_receiver(const std::filesystem::path& control) {
  const std::filesystem::path file = wake_socket_path(control);
  const Descriptor folder(open_folder(file));
  const Address address(file, folder);
  if (!address.fits) refuse(file, "its name is too long");
  Descriptor socket(open_socket());
  if (socket.get() < 0) refuse(file, std::strerror(errno));
  // Only a socket is removed: whatever else has that name is not ours.
  struct stat status {};
  if (::lstat(file.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) refuse(file, "something else has its name");
    ::unlink(file.c_str());
  }
  if (::bind(socket.get(), address.get(), sizeof(address.socket)) != 0 ||
      ::chmod(address.path.c_str(), kSocketMode) != 0)
    refuse(file, std::strerror(errno));
  return socket.release();
}

}  // namespace tenure::queue
