#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/next_expiry.hpp>

namespace tenure::daemon {

// Also behind what has expired in the same round.
std::optional<NextExpiryPart::Ask> NextExpiryPart::ask(DispatcherState& state) {
  const bool expires = state.is_in(Stage::working) && state.arrivals.has_expired(state.now.wall);
  if (!expires && !state.is_looking()) return std::nullopt;
  return Ask{};
}

NextExpiryPart::Answer NextExpiryPart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime now) {
  return writer.next_expiry(now);
}

void NextExpiryPart::absorb(DispatcherState& state, const Ask&, Answer& next) {
  state.arrivals.next_expiry_is(next);
}

// What is known of the next one still holds.
void NextExpiryPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
