#pragma once

#include <tenure/config/settings.hpp>

#include <filesystem>

// `tenured` without its command line: takes the control lock, opens the store, runs the dispatcher and the worker processes
// until it is told to stop.
namespace tenure::daemon {

// Blocks until the stop is complete and returns the number of an ExitCode; throws what cannot be started with. Handles TERM, INT,
// QUIT, HUP, USR1, USR2 meanwhile. Call it on the main thread, once.
[[nodiscard]] int run_daemon(const config::Settings& settings, const std::filesystem::path& config_file);

}  // namespace tenure::daemon
