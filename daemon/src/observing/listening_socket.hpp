#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>
#include <tenure/config/listen_address.hpp>

#include <filesystem>
#include <optional>
#include <utility>

namespace tenure::daemon {

// An open socket that others connect to. That of a Unix path may be used by the owner and the group, root gives it to the owner of its
// folder, and its file goes with it; a file
// `PATH.lock` beside it tells the socket of a dead process, which is replaced, from that of one that lives.
// Threads: one at a time.
class ListeningSocket {
 public:
  // LockHeld where another process listens there, which may end, or the machine has no such address yet. BadConfiguration where that path
  // or address cannot be listened on: what has the path and is no socket stays as it is, and so does the socket of another program. What may
  // pass by itself is AccessRefused, DiskError or HandleBudgetExhausted.
  [[nodiscard]] static Result<ListeningSocket> open(const config::ListenAddress& address);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket&& other) noexcept
      : lock_(std::move(other.lock_)),
        socket_(std::move(other.socket_)),
        path_(std::exchange(other.path_, {})),
        file_(other.file_) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;

  // Does not block; close-on-exec.
  [[nodiscard]] int descriptor() const { return socket_.number(); }

 private:
  ListeningSocket() = default;
  [[nodiscard]] Result<void> listen_at_path(const std::filesystem::path& path);
  [[nodiscard]] Result<void> listen_at_address(const config::ListenAddress& address);
  [[nodiscard]] Result<void> take_lock(const std::filesystem::path& path);

  Descriptor lock_;
  Descriptor socket_;
  std::filesystem::path path_;              // once its file is ours to remove
  std::optional<DescriptorIdentity> file_;  // which one that is
};

}  // namespace tenure::daemon
