#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// Jobs that have not started in time are discarded, wherever they wait. Those that are claimed are looked at by who performs them.
struct ExpiredJobsPart {
  struct Ask {};
  using Answer = std::vector<queue::ExpiredJob>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
