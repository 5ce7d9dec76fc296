#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/former_claims.hpp>

namespace tenure::daemon {

std::optional<FormerClaimsPart::Ask> FormerClaimsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::reclaiming)) return std::nullopt;
  return Ask{state.incarnation};
}

FormerClaimsPart::Answer FormerClaimsPart::carry_out(queue::StoreWriter& writer, const Ask& ask,
                                                     WallTime now) {
  return writer.reclaim_of_former_holders(ask.current, kRoundRowsMax, now);
}

void FormerClaimsPart::absorb(DispatcherState& state, const Ask&, Answer& reclaimed) {
  state.figures.reclaimed += static_cast<std::int64_t>(reclaimed.size());
  state.arrivals.came(reclaimed);
  if (reclaimed.size() < kRoundRowsMax) state.stage = Stage::scanning;
}

// The stage is what it was, so it is asked again.
void FormerClaimsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
