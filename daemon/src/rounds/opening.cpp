#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/opening.hpp>

#include <chrono>

namespace tenure::daemon {

namespace {
constexpr std::chrono::sys_days kIncarnationEpoch{std::chrono::year{2020} / 1 / 1};
}  // namespace

std::optional<OpeningPart::Ask> OpeningPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::opening)) return std::nullopt;
  return Ask{state.settings.node, state.settings.pid};
}

queue::Incarnation OpeningPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  const auto since_2020 = std::chrono::floor<std::chrono::seconds>(now - kIncarnationEpoch);
  return writer.open_incarnation(since_2020.count(), ask.node, ask.pid, now);
}

void OpeningPart::absorb(DispatcherState& state, const Ask&, Answer& incarnation) {
  state.incarnation = incarnation;
  state.stage = Stage::reclaiming;
}

// The stage is what it was, so it is asked again.
void OpeningPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
