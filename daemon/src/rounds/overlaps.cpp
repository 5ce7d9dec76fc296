#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/overlaps.hpp>

namespace tenure::daemon {
namespace {

constexpr std::size_t kPageRows = 200;

}  // namespace

// Behind the ends, which this round stores first.
std::optional<OverlapsPart::Ask> OverlapsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  const auto after = state.schedules.release_after(state.now.steady);
  if (!after) return std::nullopt;
  return Ask{*after};
}

OverlapsPart::Answer OverlapsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  return writer.schedules().release_blocked(ask.after, kPageRows, now);
}

void OverlapsPart::absorb(DispatcherState& state, const Ask&, Answer& released) {
  state.schedules.released(released, state.now.steady);
  state.looks.soon();  // at the hints of those that are ready
}

// The page that is asked next is still this one.
void OverlapsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
