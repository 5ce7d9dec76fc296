#pragma once

#include <tenure/queue/records.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace tenure::queue {

// A process may hold more claims than it has slots: the others wait in it.
[[nodiscard]] PoolSlots slots_of(std::string pool, std::span<const PoolProcess> processes,
                                 const std::map<ProcessNumber, std::int64_t>& claims);

}  // namespace tenure::queue
