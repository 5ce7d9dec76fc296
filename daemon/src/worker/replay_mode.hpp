#pragma once

#include <tenure/daemon/worker.hpp>

#include <filesystem>
#include <optional>
#include <string>

// A worker program that `tenure replay run` has started: it performs the run of one capsule and ends. It reads no configuration, takes
// no lock and speaks to nobody but by its report (replay_report.hpp).
namespace tenure::daemon {

struct ReplayRequest {
  std::filesystem::path capsule;
  std::filesystem::path scratch;  // the only folder in which databases are opened
  std::filesystem::path report;
  std::string from;  // the step at which a debugger is stopped, or output begins; empty: none
};

// What the variables ask for, which are gone afterwards; nothing where the program was not started for a replay.
[[nodiscard]] std::optional<ReplayRequest> take_replay_request();

// Performs on the calling thread. Returns the exit code: 0 for a replay that is as expected, 1 for one that differs, else that of what
// stands in the report as its refusal. Throws where not even a report can be written.
[[nodiscard]] int run_replay(const ReplayRequest& request, const JobRegistry& jobs,
                             const WorkerOptions& options);

}  // namespace tenure::daemon
