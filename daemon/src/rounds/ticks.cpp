#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/ticks.hpp>

#include <algorithm>

namespace tenure::daemon {

std::optional<TicksPart::Ask> TicksPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  return state.schedules.ask(state.now);
}

TicksPart::Answer TicksPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  Answer answer;
  queue::ScheduleWriter& schedules = writer.schedules();
  if (ask.declared) schedules.declare(*ask.declared, now);
  for (const Order& order : ask.orders) answer.push_back(schedules.tick(order.order, ask.tenants_max, now));
  return answer;
}

void TicksPart::absorb(DispatcherState& state, const Ask& ask, Answer& answer) {
  state.schedules.answered(ask, answer, state.now, state.actions);
  // What it has made is found by the look, in this round or the next one.
  state.looks.soon();
}

// It is due still.
void TicksPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
