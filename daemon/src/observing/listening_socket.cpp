#include "listening_socket.hpp"

#include <tenure/base/file_kind.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

constexpr mode_t kProbeMode = 0660;
constexpr int kBacklog = 128;

tl::unexpected<Failure> cannot_listen(ErrorCode code, std::string_view place, std::string_view why) {
  return fail(code, fmt::format("cannot listen on {}: {}", escaped(place), why));
}

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());  // config::kSocketPathMax at most
  return address;
}

Descriptor new_socket(int family) {
  return Descriptor{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

std::optional<DescriptorIdentity> identity_of_socket_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return DescriptorIdentity{status.st_dev, status.st_ino, status.st_mode & S_IFMT};
}

// Only what certainly has nobody is dead.
Result<void> require_dead(const sockaddr_un& address, const std::filesystem::path& path) {
  const Descriptor socket = new_socket(AF_UNIX);
  if (!socket.is_open()) return cannot_listen(error_code_of_system(errno), path.string(), system_text(errno));
  const int done = ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = done == 0 ? 0 : errno;
  if (error == ECONNREFUSED || error == ENOENT) return {};
  // Its queue is full, or it is of another kind.
  if (error == 0 || error == EAGAIN || error == EPROTOTYPE)
    return cannot_listen(ErrorCode::bad_configuration, path.string(), "another program does");
  return cannot_listen(error_code_of_system(error), path.string(),
                       fmt::format("what has its name cannot be asked: {}", system_text(error)));
}

// A lock that others have made keeps its mode.
Descriptor open_lock(const std::string& file) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  Descriptor made{::open(file.c_str(), kFlags | O_EXCL, kProbeMode)};
  if (made.is_open()) {
    static_cast<void>(::fchmod(made.number(), kProbeMode));
    return made;
  }
  return Descriptor{errno == EEXIST ? ::open(file.c_str(), kFlags, kProbeMode) : -1};
}

// Root's daemon leaves nothing that the service could not use.
Result<void> give_away(const std::filesystem::path& path) {
  try {
    give_to_owner_of_folder(path);
  } catch (const Error& error) {
    return cannot_listen(error.code(), path.string(), error.what());
  }
  return {};
}

bool is_for_now(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<ListeningSocket> ListeningSocket::open(const config::ListenAddress& address) {
  ListeningSocket made;
  const auto done =
      address.path.empty() ? made.listen_at_address(address) : made.listen_at_path(address.path);
  if (!done) return tl::unexpected(done.error());
  return made;
}

ListeningSocket::~ListeningSocket() {
  if (!path_.empty() && file_ && identity_of_socket_file(path_) == file_) ::unlink(path_.c_str());
}

Result<void> ListeningSocket::take_lock(const std::filesystem::path& path) {
  const std::string file = path.string() + ".lock";
  lock_ = open_lock(file);
  if (!lock_.is_open()) {
    const bool is_no_folder = errno == ENOENT || errno == ENOTDIR;
    return cannot_listen(is_no_folder ? ErrorCode::bad_configuration : error_code_of_system(errno), file,
                         system_text(errno));
  }
  if (auto given = give_away(file); !given) return given;
  const int error = lock_file(lock_.number(), WhenLocked::give_up);
  if (error == EWOULDBLOCK) return cannot_listen(ErrorCode::lock_held, path.string(), "another process does");
  if (error != 0) return cannot_listen(error_code_of_system(error), file, system_text(error));
  return {};
}

Result<void> ListeningSocket::listen_at_path(const std::filesystem::path& path) {
  if (auto locked = take_lock(path); !locked) return locked;
  const sockaddr_un address = address_of(path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode))
      return cannot_listen(ErrorCode::bad_configuration, path.string(),
                           fmt::format("it is {}, which is left as it is", kind_of_file_at(path)));
    if (auto dead = require_dead(address, path); !dead) return dead;
    ::unlink(path.c_str());
  }
  socket_ = new_socket(AF_UNIX);
  if (!socket_.is_open() ||
      ::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return cannot_listen(error_code_of_system(errno), path.string(), system_text(errno));
  path_ = path;
  file_ = identity_of_socket_file(path);
  if (::chmod(path.c_str(), kProbeMode) != 0 || ::listen(socket_.number(), kBacklog) != 0)
    return cannot_listen(error_code_of_system(errno), path.string(), system_text(errno));
  return give_away(path);
}

Result<void> ListeningSocket::listen_at_address(const config::ListenAddress& address) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_in);
  if (address.host.find(':') == std::string::npos) {
    auto& to = reinterpret_cast<sockaddr_in&>(storage);
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
  } else {
    auto& to = reinterpret_cast<sockaddr_in6&>(storage);
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &to.sin6_addr);
    size = sizeof(sockaddr_in6);
  }
  socket_ = new_socket(storage.ss_family);
  const int yes = 1;
  if (socket_.is_open() && ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      ::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&storage), size) == 0 &&
      ::listen(socket_.number(), kBacklog) == 0)
    return {};
  const int error = errno;
  if (error == EADDRINUSE || error == EADDRNOTAVAIL)
    return cannot_listen(ErrorCode::lock_held, address.text(), system_text(error));
  return cannot_listen(is_for_now(error) ? error_code_of_system(error) : ErrorCode::bad_configuration,
                       address.text(), system_text(error));
}

}  // namespace tenure::daemon
