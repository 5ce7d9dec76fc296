#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/suspects.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<SuspectsPart::Ask> SuspectsPart::ask(DispatcherState& state) {
  const auto& after = state.suspects.unread_after();
  if (!after || !(state.is_in(Stage::scanning) || state.is_in(Stage::working))) return std::nullopt;
  return Ask{*after};
}

SuspectsPart::Answer SuspectsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return writer.reader().suspects(ask.after, kRoundRowsMax);
}

void SuspectsPart::absorb(DispatcherState& state, const Ask&, Answer& page) {
  // Limits go by the names of what they count.
  for (const queue::Suspect& job : page) {
    if (job.queue.empty() || job.kind.empty()) continue;
    state.lanes.name_queue(job.lane.queue, job.queue);
    state.lanes.name_kinds({job.lane.kind}, {job.kind});
  }
  state.suspects.read(std::move(page), state.now.steady, state.actions);
}

// The page that is asked next is still this one.
void SuspectsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
