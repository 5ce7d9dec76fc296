#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/queue/schedule.hpp>

namespace tenure::daemon {

// Jobs that waited for another one of their schedule become ready, a page at a time.
struct OverlapsPart {
  struct Ask {
    queue::JobSeq after;  // the last of the page before
  };
  using Answer = queue::ReleasedJobs;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
