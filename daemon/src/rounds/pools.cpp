#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/pools.hpp>

namespace tenure::daemon {

std::optional<PoolsPart::Ask> PoolsPart::ask(DispatcherState& state) {
  if (state.stage == Stage::opening || state.stopping.is_asked()) return std::nullopt;
  const auto* const pools = state.told_pools.due(state.now.steady);
  if (pools == nullptr) return std::nullopt;
  return Ask{state.incarnation, *pools};
}

PoolsPart::Answer PoolsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  writer.tell_pools(ask.incarnation, ask.pools);
  return {};
}

void PoolsPart::absorb(DispatcherState& state, const Ask& ask, Answer&) {
  state.told_pools.told(ask.pools, state.now.steady);
}

// It is still untold, so it is asked again.
void PoolsPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
