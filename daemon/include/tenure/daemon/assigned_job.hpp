#pragma once

#include <tenure/queue/run.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>

namespace tenure::daemon {

// What a worker process is given of a claimed job, whose texts move. `time_limit` is of this run; 0: none.
[[nodiscard]] queue::AssignedJob assigned_job(queue::ClaimedJob&& job, std::chrono::microseconds time_limit);

}  // namespace tenure::daemon
