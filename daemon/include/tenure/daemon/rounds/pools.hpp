#pragma once

#include <tenure/daemon/round_part.hpp>

#include <variant>
#include <vector>

namespace tenure::daemon {

// Who performs what, told to the store for those who only look; only when a worker process has come or gone.
struct PoolsPart {
  struct Ask {
    queue::Incarnation incarnation;
    std::vector<queue::PoolRecord> pools;
  };
  using Answer = std::monostate;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
