#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// Jobs that were blocked become ready, the next page of them: a worker has come that may know what they need.
struct BlockedJobsPart {
  struct Ask {
    queue::JobReason reason = queue::JobReason::envelope_newer;
    queue::JobSeq after;  // the last of the page before
  };
  using Answer = std::vector<queue::JobArrival>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
