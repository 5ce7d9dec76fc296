#pragma once

#include <string_view>

// How `tenured` hands a worker program what it needs: a socket and variables, whose names begin with TENURE_WORKER_, which
// no setting does. The configuration's path comes in TENURE_CONFIG, for what jobs open by themselves.
namespace tenure::daemon {

inline constexpr int kWorkerSocketDescriptor = 3;  // frames
// Where the process's own log lines go: standard error is read by the daemon, since jobs print there.
inline constexpr int kWorkerLogDescriptor = 4;
inline constexpr int kWorkerBoardDescriptor = 5;  // the slot board, which the process maps and closes
inline constexpr int kWorkerKeysDescriptor =
    6;  // a pipe with the keys of seals, read to its end and closed; where there are any

inline constexpr std::string_view kWorkerPrefix = "TENURE_WORKER_";
// Before the name of a setting's variable: the value that is in force in the daemon.
inline constexpr std::string_view kWorkerSettingPrefix = "TENURE_WORKER_IN_FORCE_";
inline constexpr std::string_view kWorkerSocketVariable = "TENURE_WORKER_FD";
inline constexpr std::string_view kWorkerLogVariable = "TENURE_WORKER_LOG_FD";
inline constexpr std::string_view kWorkerBoardVariable = "TENURE_WORKER_BOARD_FD";
inline constexpr std::string_view kWorkerKeysVariable = "TENURE_WORKER_KEYS_FD";
inline constexpr std::string_view kWorkerParentVariable = "TENURE_WORKER_PARENT";
inline constexpr std::string_view kWorkerPoolVariable = "TENURE_WORKER_POOL";

}  // namespace tenure::daemon
