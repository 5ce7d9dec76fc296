#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/queue/fan_out.hpp>

namespace tenure::daemon {

// Fan-outs that are under way, where any was started or cancelled since the last look.
struct FanOutsPart {
  struct Ask {
    queue::FanOutsMark known;
  };
  using Answer = std::optional<queue::OpenFanOuts>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
