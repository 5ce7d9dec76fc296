#pragma once

#include <string_view>

// How `tenured` hands a worker program what it needs: a socket and a few variables. The names begin with
// TENURE_WORKER_, which no setting does. The configuration's path comes in TENURE_CONFIG.
namespace tenure::daemon {

inline constexpr int kWorkerSocketDescriptor = 3;  // frames

inline constexpr std::string_view kWorkerSocketVariable = "TENURE_WORKER_FD";
inline constexpr std::string_view kWorkerParentVariable = "TENURE_WORKER_PARENT";
inline constexpr std::string_view kWorkerPoolVariable = "TENURE_WORKER_POOL";

}  // namespace tenure::daemon
