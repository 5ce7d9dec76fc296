#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/config/settings.hpp>

#include <filesystem>
#include <string_view>
#include <sys/types.h>

namespace tenure::daemon {

// What all worker processes of a daemon have in common.
struct WorkerSurroundings {
  std::filesystem::path config_file;
  int lock_descriptor = -1;
  config::Settings settings;  // that the processes work by
  KeyRing keys;               // of seals, which they are given
};

// What a worker process is given of ours, as descriptors that stay the caller's.
struct GivenToWorker {
  int socket = -1;
  int output = -1;  // where it prints
  int board = -1;
  int group = -1;  // cgroup.procs of the control group that it goes into, or -1
};

// Starts the pool's program in a process group of its own: between fork and exec only calls that are safe there. Returns its pid once the program runs, or why it
// cannot be started. The kernel ends the process with the thread that calls.
[[nodiscard]] Result<pid_t> start_worker(const config::PoolSettings& pool,
                                         const WorkerSurroundings& surroundings, const GivenToWorker& given);

// Waits until a child is gone, whatever signals come meanwhile, and returns its status as waitpid() does.
[[nodiscard]] int wait_for_process(pid_t pid);

// A failure of a system call, as `DiskError`: "`what`: the text of `error`".
[[nodiscard]] Failure system_failure(std::string_view what, int error);

}  // namespace tenure::daemon
