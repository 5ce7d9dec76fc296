#pragma once

#include "processes.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>

// What becomes of jobs that run for too long: at 80 % of their time limit they get their stop token, at its end their process is ended,
// since nothing else ends a thread. The time is counted from when the dispatcher knew that the job was performed, and nobody is ended who
// has not had the last 20 % with his token: a daemon that stood still finds ends that it has not heard of.
namespace tenure::daemon {

inline constexpr int kLimitTokenPercent = 80;

// The moment of the token.
[[nodiscard]] constexpr std::chrono::microseconds token_time(std::chrono::microseconds limit) {
  return limit * kLimitTokenPercent / 100;
}

// Looks at each process that has a job for which it is time.
void enforce_time_limits(Processes& processes, const DispatcherSettings& settings, Instant now,
                         Actions& actions);

}  // namespace tenure::daemon
