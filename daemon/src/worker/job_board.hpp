#pragma once

#include <tenure/queue/run.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace tenure::daemon {

using queue::AssignedJob;

// What a worker process has been assigned: the jobs that wait for a slot, in order, and those that run. It knows nothing of
// sockets or threads.
// Threads: every method from any thread.
class JobBoard {
 public:
  struct Running {
    AssignedJob job;
    std::stop_token stop;
  };

  // True if a slot is free for it: then the caller starts another performer.
  [[nodiscard]] bool add(AssignedJob job, std::size_t slots);
  // The next waiting job, now running; nothing: this performer ends.
  [[nodiscard]] std::optional<Running> take();
  void finished(queue::JobSeq seq);

  // Takes a waiting job back; nothing where it has started, or was never here.
  [[nodiscard]] std::optional<AssignedJob> recall(const queue::ClaimRef& claim);
  // Takes all waiting jobs back; from now on add() must not be called.
  [[nodiscard]] std::vector<AssignedJob> recall_all();
  // Seq 0: all running ones.
  void give_stop_token(queue::JobSeq seq);
  [[nodiscard]] bool idle() const;

 private:
  mutable std::mutex mutex_;
  std::deque<AssignedJob> waiting_;
  std::map<queue::JobSeq, std::stop_source> running_;
  std::size_t performers_ = 0;
};

}  // namespace tenure::daemon
