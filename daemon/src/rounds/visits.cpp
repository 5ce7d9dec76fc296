#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/visits.hpp>

namespace tenure::daemon {

std::optional<VisitsPart::Ask> VisitsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  return state.fan_outs.ask(state.now);
}

VisitsPart::Answer VisitsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  Answer answer;
  for (const Order& order : ask.orders) answer.push_back(writer.fan_outs().carry_on(order.order, now));
  return answer;
}

void VisitsPart::absorb(DispatcherState& state, const Ask& ask, Answer& answer) {
  state.fan_outs.answered(ask, answer, state.now, state.actions);
  // What it has made is found by the look, in this round or the next one.
  state.looks.soon();
}

// It is due still.
void VisitsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
