#pragma once

#include <tenure/base/error.hpp>
#include <tenure/config/settings.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenure::daemon {

// Where worker processes come from: exec'ed programs under `tenured`, a thread of this process when a worker program runs
// alone.
// Threads: all methods and callbacks on the daemon's loop.
class WorkerHost {
 public:
  // The worker is gone for good: reaped, and nothing of it can commit any more. Once for each start that succeeded.
  using OnGone = std::function<void(WorkerGone)>;

  virtual ~WorkerHost() = default;

  // Starts one and returns our end of its socket, which the caller owns; or why it cannot be started.
  [[nodiscard]] virtual Result<int> start(queue::ProcessNumber process, const config::PoolSettings& pool,
                                          OnGone on_gone) = 0;
  // The process that performs its jobs: for the log, while it lives.
  [[nodiscard]] virtual pid_t pid_of(queue::ProcessNumber process) const = 0;
  // Ends it at once. Nothing for one that is gone already.
  virtual void end(queue::ProcessNumber process, EndProcess::By by) = 0;
  // The dispatcher's lock, for a process that has said hello to keep open while it lives; -1 where it is ours anyway.
  [[nodiscard]] virtual int lock_to_share() const { return -1; }
  // The log's file was moved away and opened again: processes that write to it by themselves do the same.
  virtual void tell_to_open_log() {}
  // Whether another process can take the place of one that runs.
  [[nodiscard]] virtual bool can_replace() const { return false; }
  // The processes that were started from another file than has the name of their program now.
  [[nodiscard]] virtual std::vector<queue::ProcessNumber> of_old_programs() const { return {}; }
  // Resident bytes; 0 where that is not to be known, or is not its own.
  [[nodiscard]] virtual std::int64_t memory_of(queue::ProcessNumber) const { return 0; }
  // The processes that start from now on work by these settings, whatever the configuration's file says by then.
  virtual void use(const config::Settings&) {}
};

}  // namespace tenure::daemon
