#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// The scan of all lanes at the start, a page at a time. What is enqueued meanwhile is found as a new job.
struct LaneScanPart {
  struct Ask {
    std::optional<queue::Lane> after;  // nothing: the first page
  };
  struct Answer {
    queue::JobSeq known_until;  // see queue::LaneReader
    std::vector<queue::Lane> lanes;
  };

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
