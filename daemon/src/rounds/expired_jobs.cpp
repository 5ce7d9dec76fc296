#include "../dispatcher/state.hpp"

#include <tenure/daemon/round.hpp>
#include <tenure/daemon/rounds/expired_jobs.hpp>

namespace tenure::daemon {

std::optional<ExpiredJobsPart::Ask> ExpiredJobsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working) || !state.arrivals.has_expired(state.now.wall)) return std::nullopt;
  return Ask{};
}

ExpiredJobsPart::Answer ExpiredJobsPart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime now) {
  return writer.expire(now, kRoundRowsMax);
}

// A lane whose last job has gone is found empty by the next claim.
void ExpiredJobsPart::absorb(DispatcherState& state, const Ask&, Answer& expired) {
  if (expired.empty()) return;
  state.figures.expired += std::ssize(expired);
  state.expired_jobs.expired(std::ssize(expired), state.lanes.kind_name(expired.back().lane.kind));
  state.looks.soon();  // at what a batch has made whose last member was among them
}

// They are late still.
void ExpiredJobsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
