#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/pauses.hpp>

#include <utility>

namespace tenure::daemon {

// While it scans, too: nothing may be claimed before they are known.
std::optional<PausesPart::Ask> PausesPart::ask(DispatcherState& state) {
  if (!state.is_looking() && !state.is_in(Stage::scanning)) return std::nullopt;
  return Ask{state.pauses.mark(), state.pauses.has_expired(state.now.wall)};
}

PausesPart::Answer PausesPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  if (ask.has_expired) writer.remove_expired_pauses(now);
  return writer.open_pauses(ask.known);
}

void PausesPart::absorb(DispatcherState& state, const Ask&, Answer& open) {
  if (!open) return;
  state.pauses.read(std::move(*open));
  state.lanes.set_paused(state.pauses.names(queue::PauseScope::queue),
                         state.pauses.names(queue::PauseScope::kind));
  state.lone_jobs.find_pools();
}

void PausesPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
