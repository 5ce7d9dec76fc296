#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/next_due.hpp>

namespace tenure::daemon {

std::optional<NextDuePart::Ask> NextDuePart::ask(DispatcherState& state) {
  const bool promotes = state.is_in(Stage::working) && state.arrivals.has_due(state.now.wall);
  if (!promotes && !state.is_looking()) return std::nullopt;
  return Ask{};
}

NextDuePart::Answer NextDuePart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime) {
  return writer.reader().next_due();
}

void NextDuePart::absorb(DispatcherState& state, const Ask&, Answer& due) { state.arrivals.next_due_is(due); }

// What is known of the next one still holds.
void NextDuePart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
