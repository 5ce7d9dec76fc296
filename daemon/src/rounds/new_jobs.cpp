#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/new_jobs.hpp>

namespace tenure::daemon {

std::optional<NewJobsPart::Ask> NewJobsPart::ask(DispatcherState& state) {
  if (!state.is_looking()) return std::nullopt;
  return Ask{state.arrivals.last_seq()};
}

NewJobsPart::Answer NewJobsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  return writer.reader().arrivals(ask.after, kRoundRowsMax);
}

void NewJobsPart::absorb(DispatcherState& state, const Ask&, Answer& rows) {
  // One that is outstanding was claimed by a look into its lane before its row was read.
  for (const queue::JobArrival& row : rows) state.arrivals.tail(row, state.processes.is_outstanding(row.seq));
  if (rows.size() >= kRoundRowsMax) state.looks.soon();
}

void NewJobsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
