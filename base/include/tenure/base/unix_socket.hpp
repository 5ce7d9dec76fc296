#pragma once

#include <tenure/base/system.hpp>

#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <vector>

// Sockets of the family AF_UNIX that are named by a file: unix(7). Threads: any; one object belongs to one thread at a time.
namespace tenure {

// A file as the address of a socket. An address has room for 108 bytes; a longer path goes through a descriptor of its folder.
class UnixAddress {
 public:
  explicit UnixAddress(const std::filesystem::path& file);
  // The file of that name in a folder that is open (O_PATH is enough), whatever its path is meanwhile. `folder` must stay open.
  UnixAddress(int folder, std::string_view name);

  // False where the file's name alone is too long, or its folder could not be opened; then get() is of no use.
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }
  // Ends with NUL.
  [[nodiscard]] const char* path() const { return address_.sun_path; }

 private:
  void set(std::string_view path);
  Descriptor folder_;
  sockaddr_un address_{};
  bool fits_ = false;
};

// Who is at the other end of a connected socket, as of its connect() or listen(). Ids are as this process's user namespace shows
// them: one that it does not know is the overflow id, 65534.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones
};
// Nothing where the kernel does not say.
[[nodiscard]] std::optional<Peer> peer_of(int socket);

}  // namespace tenure
