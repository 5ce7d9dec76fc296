#include "pool_slots.hpp"

#include <algorithm>

namespace tenure::queue {

PoolSlots slots_of(const PoolRecord& pool, const ClaimsByPriority& claims) {
  PoolSlots all{.name = pool.name};
  for (const ReservedSlots& reserved : pool.reserved) all.kept.push_back({reserved});
  for (const PoolProcess& process : pool.processes) {
    all.slots += process.slots;
    const auto held = claims.find(process.number);
    if (held == claims.end()) continue;
    std::int64_t jobs = 0;
    for (const auto& [priority, count] : held->second) {
      jobs += count;
      for (KeptSlots& kept : all.kept)
        if (priority > kept.reserved.priority.value) kept.worse += count;
    }
    all.taken += std::min(process.slots, jobs);
  }
  return all;
}

}  // namespace tenure::queue
