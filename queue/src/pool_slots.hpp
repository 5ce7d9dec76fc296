#pragma once

#include <tenure/queue/pool.hpp>

#include <cstdint>
#include <map>

namespace tenure::queue {

// How many claims of each priority a worker process holds. Where no slots are kept, of whichever priority.
using ClaimsByPriority = std::map<ProcessNumber, std::map<std::int64_t, std::int64_t>>;

// A process may hold more claims than it has slots: the others wait in it.
[[nodiscard]] PoolSlots slots_of(const PoolRecord& pool, const ClaimsByPriority& claims);

}  // namespace tenure::queue
