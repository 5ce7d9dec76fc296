#include "lanes.hpp"

#include <tenure/queue/lane_gate.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

// Of the lanes: who performs what, and which of them nobody performs.
namespace tenure::daemon {

using queue::JobReason;
using queue::KindNumber;
using queue::QueueNumber;

std::size_t Lanes::Pool::processes() const {
  return std::accumulate(offers.begin(), offers.end(), std::size_t{0},
                         [](std::size_t sum, const Offer& offer) { return sum + offer.processes; });
}

std::vector<queue::PoolRecord> Lanes::pools() const {
  std::vector<queue::PoolRecord> records;
  for (const Pool& pool : pools_) {
    queue::PoolRecord record{pool.name, pool.queues, static_cast<std::int64_t>(pool.processes()), {}};
    for (const Offer& offer : pool.offers)
      if (offer.processes > 0)
        record.kinds.insert(record.kinds.end(), offer.kind_names.begin(), offer.kind_names.end());
    std::ranges::sort(record.kinds);
    record.kinds.erase(std::unique(record.kinds.begin(), record.kinds.end()), record.kinds.end());
    records.push_back(std::move(record));
  }
  return records;
}

JobReason Lanes::gate_of(const QueueEntry& queue, KindNumber kind) const {
  std::vector<queue::PoolForLane> pools;
  for (const std::size_t pool : queue.pools)
    pools.push_back({pools_[pool].processes() > 0, pools_[pool].performs(kind)});
  return queue::lane_gate(pools);
}

std::vector<HeldLane> Lanes::held() {
  std::map<std::pair<QueueNumber, KindNumber>, JobReason> reasons;
  for (const auto& [id, bucket] : buckets_) {
    const QueueEntry& queue = queues_[id.queue];
    for (const auto& [tenant, lanes] : bucket) {
      if (lanes.open == std::ssize(lanes.kinds) || is_parked(tenant)) continue;
      for (const KindLane& lane : lanes.kinds)
        if (const auto [reason, is_new] = reasons.try_emplace({id.queue, lane.kind}); is_new)
          reason->second = gate_of(queue, lane.kind);
    }
  }
  std::vector<HeldLane> held;
  may_hold_ = false;
  for (const auto& [lane, reason] : reasons) {
    if (reason == JobReason::none) continue;
    may_hold_ = true;
    const auto& [queue, kind] = lane;
    if (!queues_[queue].name.empty() && !kinds_[kind].empty())
      held.push_back({reason, queues_[queue].name, kinds_[kind]});
  }
  return held;
}

}  // namespace tenure::daemon
