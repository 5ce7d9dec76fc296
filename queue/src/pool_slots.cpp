#include "pool_slots.hpp"

#include <algorithm>
#include <utility>

namespace tenure::queue {

PoolSlots slots_of(std::string pool, std::span<const PoolProcess> processes,
                   const std::map<ProcessNumber, std::int64_t>& claims) {
  PoolSlots all{.name = std::move(pool)};
  for (const PoolProcess& process : processes) {
    const auto held = claims.find(process.number);
    all.slots += process.slots;
    if (held != claims.end()) all.taken += std::min(process.slots, held->second);
  }
  return all;
}

}  // namespace tenure::queue
