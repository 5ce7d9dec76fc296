#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/cancel_requests.hpp>

namespace tenure::daemon {

std::optional<CancelRequestsPart::Ask> CancelRequestsPart::ask(DispatcherState& state) {
  if (!state.is_looking_for_cancels()) return std::nullopt;
  return Ask{state.cancelled_runs.read_until()};
}

CancelRequestsPart::Answer CancelRequestsPart::carry_out(queue::StoreWriter& writer, const Ask& ask,
                                                         WallTime) {
  return writer.cancel_requests(ask.after, kRoundRowsMax);
}

void CancelRequestsPart::absorb(DispatcherState& state, const Ask&, Answer& requests) {
  state.cancelled_runs.read(requests, state.actions);
  if (requests.size() >= kRoundRowsMax) state.looks.soon();
}

void CancelRequestsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
