#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>

namespace tenure::daemon {

// When the next job expires.
struct NextExpiryPart {
  struct Ask {};
  using Answer = std::optional<WallTime>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
