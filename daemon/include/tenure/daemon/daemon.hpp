#pragma once

#include <tenure/config/settings.hpp>

#include <filesystem>

// `tenured` without its command line: takes the control lock, opens the store, runs the dispatcher and the worker processes
// until it is told to stop.
namespace tenure::daemon {

// Exit codes that supervisors and units rely on.
inline constexpr int kExitDone = 0;
inline constexpr int kExitStoreUnavailable = 69;  // also: moved, replaced or damaged while we ran
inline constexpr int kExitSyncFailed = 74;
inline constexpr int kExitLockHeld = 75;
inline constexpr int kExitConfiguration = 78;

// Blocks until the stop is complete and returns the exit code; throws what cannot be started with. Installs handlers for
// TERM, INT, QUIT. Call it on the main thread, once.
[[nodiscard]] int run_daemon(const config::Settings& settings, const std::filesystem::path& config_file);

}  // namespace tenure::daemon
