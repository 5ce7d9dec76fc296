#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/schedules.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<SchedulesPart::Ask> SchedulesPart::ask(DispatcherState& state) {
  if (!state.is_looking()) return std::nullopt;
  return Ask{state.schedules.mark()};
}

SchedulesPart::Answer SchedulesPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return writer.schedules().open(ask.known);
}

void SchedulesPart::absorb(DispatcherState& state, const Ask&, Answer& open) {
  if (open) state.schedules.read(std::move(*open));
}

void SchedulesPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
