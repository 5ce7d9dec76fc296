#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/unix_socket.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

// The socket at which operators are listened to: where it may lie, and who may use it.
// Threads: one at a time.
namespace tenure::daemon::control {

// A listening socket. Whoever bound it takes its file away at the end, unless that is another one by then.
class Listener {
 public:
  // Makes the socket (0660), and its folder (0750) where that is missing and the one above it is there. To be called by the holder of
  // the control database's lock: a socket that nobody serves any more is replaced. AccessRefused where the folder may be written by
  // others or is a link, belongs to somebody who is neither root, this user nor `owner`, where the socket does, or where something
  // that is no socket has its name; LockHeld where a process serves it; DiskError.
  [[nodiscard]] static Listener bind(const std::filesystem::path& path, uid_t owner);
  // The one that the service manager has bound and named "control", if it has. Takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of
  // the environment, and keeps all that was passed from programs that we start. To be called while the process has one thread.
  // AccessRefused where what was passed under that name is no listening socket.
  [[nodiscard]] static std::optional<Listener> take_passed();

  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // The same socket once more, whose file is left alone at its end; DiskError where no descriptor is left.
  [[nodiscard]] Listener again() const;
  // The listening descriptor, which the caller closes; once.
  [[nodiscard]] int take_descriptor() { return socket_.release(); }
  // The group whose members may ask.
  [[nodiscard]] gid_t group() const { return group_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Named {
    dev_t device = 0;
    ino_t number = 0;
  };
  Listener(Descriptor socket, std::string path, Descriptor folder);

  Descriptor socket_;
  std::string path_;
  Descriptor folder_;  // -1: the file is not ours to remove
  gid_t group_ = 0;
  Named file_;
};

// Root, the user that the daemon runs as, and members of the socket's group.
[[nodiscard]] bool may_ask(const Peer& peer, uid_t daemon, gid_t group);

// Which of the descriptors from 3 on is meant by a name of LISTEN_FDNAMES, "a:b:c"; nothing where none is.
[[nodiscard]] std::optional<int> passed_as(std::string_view name, std::string_view names, int count);

}  // namespace tenure::daemon::control
