#pragma once

#include <tenure/jobs/registry.hpp>

#include <string>

namespace tenure {

struct WorkerOptions {
  std::string version = "unknown";  // of the worker program, for logs; what is above 255 bytes is cut
};

// The rest of a worker program's main. Started by `tenured` it performs what it is assigned; started by hand it takes the
// control lock and dispatches and performs in this one process for the first pool of its configuration (`--help` says how). Returns the
// exit code: 0 after a drain, 1 for a daemon that went away, the others as tenured (docs/manual/exit-codes.md). Standard output is
// written line by line from here on.
// No database may be open in the process when it is called: a Client, a tenant's handle. Else it returns 78, with a line on standard
// error. `jobs` must outlive the call.
[[nodiscard]] int worker_main(int argc, char** argv, const JobRegistry& jobs,
                              const WorkerOptions& options = {});

}  // namespace tenure
