#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/due_jobs.hpp>

namespace tenure::daemon {

std::optional<DueJobsPart::Ask> DueJobsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working) || !state.arrivals.has_due(state.now.wall)) return std::nullopt;
  return Ask{};
}

DueJobsPart::Answer DueJobsPart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime now) {
  return writer.promote(now, kRoundRowsMax);
}

void DueJobsPart::absorb(DispatcherState& state, const Ask&, Answer& promoted) {
  state.arrivals.came(promoted);
  state.suspects.look_for(promoted);
}

// What is due stays due.
void DueJobsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
