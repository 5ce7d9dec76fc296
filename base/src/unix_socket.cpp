#include <tenure/base/unix_socket.hpp>

#include <algorithm>
#include <fcntl.h>
#include <string>

namespace tenure {

UnixAddress::UnixAddress(const std::filesystem::path& file) {
  if (file.string().size() < sizeof address_.sun_path) {
    set(file.string());
    return;
  }
  folder_ = Descriptor{::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (folder_.is_open())
    set("/proc/self/fd/" + std::to_string(folder_.number()) + '/' + file.filename().string());
}

UnixAddress::UnixAddress(int folder, std::string_view name) {
  set("/proc/self/fd/" + std::to_string(folder) + '/' + std::string(name));
}

void UnixAddress::set(std::string_view path) {
  address_.sun_family = AF_UNIX;
  fits_ = path.size() < sizeof address_.sun_path;
  if (fits_) std::copy(path.begin(), path.end(), address_.sun_path);
}

std::optional<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  Peer peer{.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid, .groups = {}};
  // The first call says how many there are.
  size = 0;
  static_cast<void>(::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size));
  peer.groups.resize(size / sizeof(gid_t));
  if (size == 0 || ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) != 0)
    peer.groups.clear();
  return peer;
}

}  // namespace tenure
