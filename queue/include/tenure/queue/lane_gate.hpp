#pragma once

#include <tenure/queue/types.hpp>

#include <span>

// Why the jobs of a lane are held though their tenant is active: the one rule of it. The dispatcher asks it from memory, what is shown
// is asked from the store.
namespace tenure::queue {

// What a pool that lists the lane's queue has for the lane.
struct PoolForLane {
  bool has_worker = false;  // a live one that has said hello
  bool knows_kind = false;  // one of them has named the kind
};

// `pools`: all that list the lane's queue. JobReason::none: some worker process performs its jobs.
[[nodiscard]] JobReason lane_gate(std::span<const PoolForLane> pools);

}  // namespace tenure::queue
