#pragma once

#include "lanes.hpp"
#include "processes.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstddef>

namespace tenure::daemon {

// Less than this ahead of each slot is gone sooner than it could be called back.
inline constexpr std::chrono::microseconds kRecallAheadMin{1000};

// A tenant that comes into a full pool shall not wait behind jobs that were assigned ahead for others who have had more:
// those of the least loaded process are called back, and return as `not_started`. `newcomer` stands in the pool's ring.
void recall_for(std::size_t pool, const Ring::Place& newcomer, const Lanes& lanes, Processes& processes,
                Actions& actions);

}  // namespace tenure::daemon
