#pragma once

#include <tenure/daemon/round_part.hpp>

namespace tenure::daemon {

// When the next scheduled job is due: asked where jobs have become due, or where others may have scheduled some.
struct NextDuePart {
  struct Ask {};
  using Answer = std::optional<WallTime>;  // nothing: none is scheduled

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
