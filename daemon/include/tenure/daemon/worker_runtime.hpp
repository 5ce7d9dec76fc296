#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <string>

namespace tenure::daemon {

class SlotBoard;

// What a worker process performs jobs with. All references must outlive the runtime.
struct WorkerSetup {
  const JobRegistry& jobs;
  HandleCache& handles;
  const Clock& clock;
  PerformerOptions performing;
  std::string program_version;
  int lock_descriptor = -1;  // of the dispatcher's lock, where this process took it
  int told_to_end =
      -1;  // becomes readable when somebody else than the daemon tells the process to end; -1: nobody can
  SlotBoard* board = nullptr;  // where each thread says what it performs; nullptr: nowhere
};

// Speaks the worker's side of the protocol on `descriptor`, which it takes over: says hello, performs what is assigned on
// an Asio pool, as many jobs at once as the daemon wants slots, reports. Returns when it was drained and its last job has
// ended (true), or when the daemon is gone or refused it (false); jobs that run then have their stop token and are waited for.
// The lock that comes beside the welcome it keeps open till its end. A handler that closes the socket, the lock or what Asio has open ends the process.
// Threads: the calling one is of the pool, which has one more than there are slots: any of them reads, answers pings, performs.
[[nodiscard]] bool run_worker(int descriptor, const WorkerSetup& setup);

}  // namespace tenure::daemon
