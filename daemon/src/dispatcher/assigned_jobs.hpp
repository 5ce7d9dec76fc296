#pragma once

#include "state.hpp"

#include <vector>

namespace tenure::daemon {

// Jobs of one tenant that were claimed for a process are outstanding there from now on, and charged to their tenant.
void count_assigned(DispatcherState& state, Process& process, const std::vector<queue::ClaimedJob>& jobs);

}  // namespace tenure::daemon
