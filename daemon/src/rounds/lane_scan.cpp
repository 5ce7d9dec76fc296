#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/lane_scan.hpp>

namespace tenure::daemon {

std::optional<LaneScanPart::Ask> LaneScanPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::scanning)) return std::nullopt;
  return Ask{state.arrivals.scanned_until()};
}

LaneScanPart::Answer LaneScanPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  auto lanes = writer.reader().lanes(ask.after, kRoundRowsMax);
  return {writer.reader().known_until(), std::move(lanes)};
}

void LaneScanPart::absorb(DispatcherState& state, const Ask& ask, Answer& page) {
  state.arrivals.scanned(page.lanes);
  if (!ask.after) state.arrivals.tail_begins_behind(page.known_until);
  if (page.lanes.size() < kRoundRowsMax) {
    state.stage = Stage::working;
    state.actions.emplace_back(Serving{});
  }
  state.looks.soon();
}

// The page that is asked next is still this one.
void LaneScanPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
