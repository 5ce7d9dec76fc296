#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/fan_outs.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<FanOutsPart::Ask> FanOutsPart::ask(DispatcherState& state) {
  if (!state.is_looking()) return std::nullopt;
  return Ask{state.fan_outs.mark()};
}

FanOutsPart::Answer FanOutsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return writer.fan_outs().open(ask.known);
}

void FanOutsPart::absorb(DispatcherState& state, const Ask&, Answer& open) {
  if (open) state.fan_outs.read(std::move(*open), state.now.steady);
}

void FanOutsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
