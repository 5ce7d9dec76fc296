#include "lane_gates.hpp"

#include <algorithm>

namespace tenure::queue {

JobReason lane_gate(std::span<const PoolForLane> pools) {
  if (pools.empty()) return JobReason::queue_without_pool;
  if (std::ranges::none_of(pools, &PoolForLane::has_worker)) return JobReason::pool_without_worker;
  return std::ranges::any_of(pools, &PoolForLane::knows_kind) ? JobReason::none : JobReason::kind_unknown;
}

JobReason LaneGates::of(QueueNumber queue, KindNumber kind) const {
  if (!is_told_) return JobReason::none;
  std::vector<PoolForLane> pools;
  for (const Pool& pool : pools_) {
    if (!std::ranges::binary_search(pool.queues, queue.value)) continue;
    pools.push_back({pool.has_worker, pool.has_worker && std::ranges::binary_search(pool.kinds, kind.value)});
  }
  return lane_gate(pools);
}

}  // namespace tenure::queue
