#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/lane_hints.hpp>

namespace tenure::daemon {

std::optional<LaneHintsPart::Ask> LaneHintsPart::ask(DispatcherState& state) {
  // Ends may pass a concurrency key on, in the same commit.
  if (!state.is_looking() && state.endings.under_way() == 0) return std::nullopt;
  return Ask{};
}

LaneHintsPart::Answer LaneHintsPart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime) {
  return writer.take_lane_hints(kRoundRowsMax);
}

void LaneHintsPart::absorb(DispatcherState& state, const Ask&, Answer& rows) {
  state.arrivals.came(rows);
  state.suspects.look_for(rows);
  state.key_turns.came(rows);
  if (rows.size() >= kRoundRowsMax) state.looks.soon();
}

void LaneHintsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
