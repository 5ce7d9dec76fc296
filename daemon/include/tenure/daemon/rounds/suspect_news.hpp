#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// What has become of suspects. It comes with the ends of their claims, and before whatever is claimed next.
struct SuspectNewsPart {
  struct Ask {
    std::vector<queue::JobSeq> outlived;   // their trials
    std::vector<queue::JobSeq> acquitted;  // are no suspects any more
  };
  struct Answer {};

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
