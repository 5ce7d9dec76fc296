#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/captures.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<CapturesPart::Ask> CapturesPart::ask(DispatcherState& state) {
  if (!state.is_looking()) return std::nullopt;
  return Ask{state.captures.mark(), state.captures.has_expired(state.now.wall)};
}

CapturesPart::Answer CapturesPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  if (ask.has_expired) writer.remove_expired_captures(now);
  return writer.open_captures(ask.known);
}

void CapturesPart::absorb(DispatcherState& state, const Ask&, Answer& open) {
  if (open) state.captures.read(std::move(*open));
}

void CapturesPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
