#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/starts.hpp>

namespace tenure::daemon {

std::optional<StartsPart::Ask> StartsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  return state.lanes.take_bucket_notes(state.now.steady);
}

StartsPart::Answer StartsPart::carry_out(queue::StoreWriter& writer, const Ask& notes, WallTime now) {
  writer.note_buckets(notes, now);
  return {};
}

void StartsPart::absorb(DispatcherState& state, const Ask&, Answer&) { state.lanes.forget_start_plans(); }

void StartsPart::undo(DispatcherState& state, const Ask& notes) {
  state.lanes.not_noted(notes);
  state.lanes.forget_start_plans();
}

}  // namespace tenure::daemon
