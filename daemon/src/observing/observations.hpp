#pragma once

#include "health.hpp"
#include "metrics.hpp"

#include <mutex>
#include <utility>

namespace tenure::daemon {

// What is known of the daemon, told by some threads and asked by others.
// Threads: any. Nobody waits here for longer than it takes to gather some thousand figures.
class Observations {
 public:
  Observations(Metrics::Options options, Now now) : health_(now.steady), metrics_(std::move(options), now) {}

  // `what(health, metrics)`, with nobody else at them.
  template <class What>
  auto with(What&& what) {
    const std::lock_guard lock(mutex_);
    return what(health_, metrics_);
  }

 private:
  std::mutex mutex_;
  Health health_;
  Metrics metrics_;
};

}  // namespace tenure::daemon
