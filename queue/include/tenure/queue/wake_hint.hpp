#pragma once

#include <tenure/queue/types.hpp>

#include <filesystem>
#include <optional>
#include <string_view>

// Tells a dispatcher that the control database has new work, so that it need not wait for its next look. Only
// a hint: one that is lost costs at most `store.poll`. It is a datagram to a unix socket beside the control database, and any
// number of them mean the same as one. It may say in which lane a job is new, so that an idle dispatcher claims it with its first look
// instead of after it (docs/formats/wake-hint.md). Nobody relies on what it says. Threads: any.
namespace tenure::queue {

// CONTROL-wake, beside CONTROL: /var/lib/tenure/control.db-wake.
[[nodiscard]] std::filesystem::path wake_socket_path(const std::filesystem::path& control);

// Never blocks, throws or complains: with nobody there, or a full queue at the receiver, nothing is lost.
void send_wake_hint(const std::filesystem::path& control, const std::optional<Lane>& lane = {}) noexcept;

// What a datagram says; nothing where it only says "look", or says what this program does not understand.
[[nodiscard]] std::optional<Lane> read_wake_hint(std::string_view datagram);
// Longer datagrams may be cut.
inline constexpr std::size_t kWakeHintMax = 33;

// A bound, non-blocking datagram socket (close-on-exec) that the caller owns, in place of what an earlier
// process left there; writable by owner and group, as the control database is. To be called only by the
// holder of the control database's lock. The caller reads until there is nothing more and, at its end, closes
// it; the file may stay. DiskError says why it cannot be had; a dispatcher then works by its polls.
[[nodiscard]] int bind_wake_receiver(const std::filesystem::path& control);

}  // namespace tenure::queue
