#include "key_turns.hpp"

#include <optional>
#include <utility>

namespace tenure::daemon {

void KeyTurns::came(const std::vector<queue::JobArrival>& rows) {
  for (const queue::JobArrival& row : rows)
    if (row.state == queue::JobState::ready) add({row.seq, row.lane});
}

void KeyTurns::started(std::span<const queue::ClaimedJob> jobs) {
  if (turns_.empty()) return;
  for (const queue::ClaimedJob& job : jobs) turns_.erase(job.seq);
}

std::vector<KeyTurn> KeyTurns::take_gated() {
  std::vector<KeyTurn> gated;
  for (auto entry = turns_.begin(); entry != turns_.end() && gated.size() < kTurnsOfRound;) {
    const std::optional<bool> is_gated = lanes_.is_gated(entry->second.lane);
    if (is_gated && !*is_gated) {
      ++entry;
      continue;
    }
    if (is_gated) {
      gated.push_back(std::move(entry->second));
      gated.back().gated.push_back(gated.back().lane);
    }
    entry = turns_.erase(entry);
  }
  return gated;
}

void KeyTurns::passed_on(const KeyTurn& turn, const queue::JobArrival& next) {
  if (next.state != queue::JobState::ready || turn.gated.size() >= kGatedLanesMax) return;
  add({next.seq, next.lane, turn.gated});
}

void KeyTurns::take_back(const std::vector<KeyTurn>& turns) {
  for (KeyTurn turn : turns) {
    turn.gated.pop_back();
    add(std::move(turn));
  }
}

void KeyTurns::add(KeyTurn turn) {
  const queue::JobSeq seq = turn.seq;
  turns_.insert_or_assign(seq, std::move(turn));
  if (turns_.size() > kTurnsMax) turns_.erase(turns_.begin());
}

}  // namespace tenure::daemon
