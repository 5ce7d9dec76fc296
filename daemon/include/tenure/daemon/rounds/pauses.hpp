#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>

namespace tenure::daemon {

// Queues and kinds that operators have paused, where any has changed since the last look; those whose time is over are removed, and so
// are such pauses of tenants.
struct PausesPart {
  struct Ask {
    queue::PausesMark known;
    bool has_expired = false;
  };
  using Answer = std::optional<queue::OpenPauses>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
