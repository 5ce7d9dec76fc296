#pragma once

#include <tenure/daemon/round_part.hpp>

#include <cstddef>
#include <vector>

namespace tenure::daemon {

// What the dispatchers before this one had claimed is taken back, a page at a time; nothing else is claimed before. Where the last one
// died, its jobs are suspects, and one that performed alone is charged. What an operator has cancelled is neither and has ended.
struct FormerClaimsPart {
  struct Ask {
    queue::Incarnation current;
    bool former_died = false;
  };
  struct Answer {
    std::size_t claims = 0;     // that were taken back
    std::size_t cancelled = 0;  // besides
    std::vector<queue::JobArrival> ready;
    std::vector<queue::AttemptFailure> dead;
  };

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
