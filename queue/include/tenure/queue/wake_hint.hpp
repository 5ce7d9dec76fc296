#pragma once

#include <filesystem>

// Tells a dispatcher that the control database has new work, so that it need not wait for its next look. Only
// a hint: one that is lost costs at most `store.poll`. It is an empty-handed datagram to a unix socket beside
// the control database; its content means nothing, and any number of them mean the same as one. Threads: any.
namespace tenure::queue {

// CONTROL-wake, beside CONTROL: /var/lib/tenure/control.db-wake.
[[nodiscard]] std::filesystem::path wake_socket_path(const std::filesystem::path& control);

// Never blocks, throws or complains: with nobody there, or a full queue at the receiver, nothing is lost.
void send_wake_hint(const std::filesystem::path& control) noexcept;

// A bound, non-blocking datagram socket (close-on-exec) that the caller owns, in place of what an earlier
// process left there; writable by owner and group, as the control database is. To be called only by the
// holder of the control database's lock. The caller reads until there is nothing more and, at its end, closes
// it; the file may stay. DiskError says why it cannot be had; a dispatcher then works by its polls.
[[nodiscard]] int bind_wake_receiver(const std::filesystem::path& control);

}  // namespace tenure::queue
