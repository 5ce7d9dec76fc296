#pragma once

#include <tenure/jobs/registry.hpp>

#include <string>

namespace tenure {

struct WorkerOptions {
  std::string version = "unknown";  // of the worker program, for logs and attempts; at most 255 bytes
};

// The rest of a worker program's main. Started by `tenured` it performs what it is assigned; started by hand it takes the
// control lock and dispatches and performs in this one process (`--help` says how). Returns the exit code: 0 after a
// drain, 1 for a daemon that went away, 2 usage, 69, 74, 75, 78 as tenured.
// No database may be open in the process when it is called: a Client, a tenant's handle. Else it returns 78, with a line on standard
// error. `jobs` must outlive the call.
[[nodiscard]] int worker_main(int argc, char** argv, const JobRegistry& jobs,
                              const WorkerOptions& options = {});

}  // namespace tenure
