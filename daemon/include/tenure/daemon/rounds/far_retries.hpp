#pragma once

#include <tenure/daemon/round_part.hpp>

namespace tenure::daemon {

// Retries that are further off than their rule allows are drawn in, a page of what is scheduled at a time.
struct FarRetriesPart {
  struct Ask {
    std::optional<queue::LanePlace> after;  // the last of the page before
  };
  using Answer = queue::DrawnIn;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
