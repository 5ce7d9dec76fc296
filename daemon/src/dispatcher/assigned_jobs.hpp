#pragma once

#include "state.hpp"

#include <vector>

namespace tenure::daemon {

// Jobs of one tenant that were claimed for a process are outstanding there from now on, and charged to their tenant. Each is told whether
// its run is to be captured.
void count_assigned(DispatcherState& state, Process& process, std::vector<queue::ClaimedJob>& jobs);

}  // namespace tenure::daemon
