#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/passed_turns.hpp>

#include <cstddef>
#include <utility>

namespace tenure::daemon {

std::optional<PassedTurnsPart::Ask> PassedTurnsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  Ask turns = state.key_turns.take_gated();
  if (turns.empty()) return std::nullopt;
  return turns;
}

PassedTurnsPart::Answer PassedTurnsPart::carry_out(queue::StoreWriter& writer, const Ask& turns, WallTime) {
  Answer next;
  for (const KeyTurn& turn : turns) next.push_back(writer.pass_over(turn.seq, turn.gated));
  return next;
}

void PassedTurnsPart::absorb(DispatcherState& state, const Ask& turns, Answer& answer) {
  TENURE_INVARIANT(turns.size() == answer.size());
  std::vector<queue::JobArrival> rows;
  for (std::size_t turn = 0; turn < turns.size(); ++turn) {
    if (!answer[turn]) continue;
    rows.push_back(*answer[turn]);
    state.key_turns.passed_on(turns[turn], *answer[turn]);
  }
  state.arrivals.came(rows);
  state.suspects.look_for(rows);
}

void PassedTurnsPart::undo(DispatcherState& state, const Ask& turns) { state.key_turns.take_back(turns); }

}  // namespace tenure::daemon
