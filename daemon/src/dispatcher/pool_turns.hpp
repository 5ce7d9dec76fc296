#pragma once

#include "lanes.hpp"
#include "processes.hpp"
#include "usual_run_time.hpp"

#include <tenure/daemon/process_status.hpp>

#include <cstdint>
#include <string>
#include <vector>

// When a job's turn comes, by the order in which ClaimPlan visits tenants and by what is usual. For those who only look: nobody
// decides by it.
namespace tenure::daemon {

// In each pool where the lane is open, by their order. `ahead`: jobs of the lane that come before the one that is asked about.
[[nodiscard]] std::vector<PoolTurn> pool_turns(const Lanes& lanes, const Processes& processes,
                                               const std::vector<UsualRunTimes>& usual,
                                               const queue::Lane& lane, std::int64_t ahead, Instant now);

}  // namespace tenure::daemon
