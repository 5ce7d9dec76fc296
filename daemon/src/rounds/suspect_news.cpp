#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/suspect_news.hpp>

#include <utility>

namespace tenure::daemon {

// Also while the dispatcher stops, as the ends.
std::optional<SuspectNewsPart::Ask> SuspectNewsPart::ask(DispatcherState& state) {
  return state.suspects.take_news();
}

SuspectNewsPart::Answer SuspectNewsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  for (const queue::JobSeq seq : ask.outlived) writer.end_trial(seq);
  for (const queue::JobSeq seq : ask.acquitted) writer.acquit(seq);
  return {};
}

void SuspectNewsPart::absorb(DispatcherState&, const Ask&, Answer&) {}

void SuspectNewsPart::undo(DispatcherState& state, const Ask& ask) { state.suspects.not_told(ask); }

}  // namespace tenure::daemon
