#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/outbox_sync.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<OutboxSyncPart::Ask> OutboxSyncPart::ask(DispatcherState& state) {
  const auto due = state.told_outboxes.sync_at();
  // Who stops has no later round to count on.
  if (!due || (*due > state.now.steady && !state.stopping.is_asked())) return std::nullopt;
  return Ask{};
}

OutboxSyncPart::Answer OutboxSyncPart::carry_out(queue::StoreWriter&, const Ask&, WallTime) { return {}; }

void OutboxSyncPart::absorb(DispatcherState& state, const Ask&, Answer&) {
  for (AcknowledgeOutbox& acknowledgement : state.told_outboxes.synced(state.now.steady))
    state.actions.emplace_back(std::move(acknowledgement));
}

// It is due still.
void OutboxSyncPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
