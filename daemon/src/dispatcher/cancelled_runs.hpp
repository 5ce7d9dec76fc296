#pragma once

#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <string>
#include <vector>

// Jobs that operators have cancelled while they were claimed: one that performs gets its stop token, one that waits in its process is
// called back. However its run ends then, short of success, the job is cancelled (rounds/ends.cpp).
namespace tenure::daemon {

class CancelledRuns {
 public:
  // Both must outlive it.
  CancelledRuns(const DispatcherSettings& settings, Processes& processes)
      : settings_(settings), processes_(processes) {}

  // How far the requests have been read.
  [[nodiscard]] queue::CancelNumber read_until() const { return read_until_; }
  // The next of them. What has ended meanwhile is left to its end, which asks the store by itself.
  void read(const std::vector<queue::CancelRequest>& requests, Actions& actions);

 private:
  void stop(Process& process, const queue::CancelRequest& request, Actions& actions) const;

  const DispatcherSettings& settings_;
  Processes& processes_;
  queue::CancelNumber read_until_;

  TENURE_REMEMBERS_BESIDE((settings, processes), read_until)
};

}  // namespace tenure::daemon
