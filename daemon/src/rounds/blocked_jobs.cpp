#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/blocked_jobs.hpp>

namespace tenure::daemon {

std::optional<BlockedJobsPart::Ask> BlockedJobsPart::ask(DispatcherState& state) {
  const auto after = state.arrivals.blocked_after();
  if (!state.is_in(Stage::working) || !after) return std::nullopt;
  return Ask{queue::JobReason::envelope_newer, *after};
}

BlockedJobsPart::Answer BlockedJobsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return writer.unblock(ask.reason, ask.after, kRoundRowsMax);
}

void BlockedJobsPart::absorb(DispatcherState& state, const Ask&, Answer& page) {
  state.arrivals.unblocked(page);
  state.suspects.look_for(page);
}

// The page that is asked next is still this one.
void BlockedJobsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
