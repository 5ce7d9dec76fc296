#pragma once

#include "../loop/recurring_thread.hpp"
#include "../receipts/horizon_reader.hpp"
#include "outbox_sweep.hpp"

#include <chrono>
#include <functional>

namespace tenure::daemon {

// An OutboxSweep on a thread of its own, `sweep`: a tenant's file that hangs holds up neither the dispatcher nor whoever asks it. Between
// its passes the thread reads receipt horizons, for which nobody waits.
// Threads: its functions from one.
class SweepThread {
 public:
  // Begins at once. `tell` is called on the thread, when the figures have changed.
  SweepThread(OutboxSweep& sweep, std::function<void(const SweepFigures&)> tell, HorizonReader& horizons);
  ~SweepThread();
  SweepThread(const SweepThread&) = delete;
  SweepThread& operator=(const SweepThread&) = delete;

  // Behind the file that it is at; false, and still running, where that does not end within the bound.
  [[nodiscard]] bool stops_within(std::chrono::milliseconds bound);

 private:
  std::chrono::microseconds pass();

  OutboxSweep& sweep_;
  const std::function<void(const SweepFigures&)> tell_;
  HorizonReader& horizons_;
  SweepFigures told_;  // of the thread
  RecurringThread thread_;
};

}  // namespace tenure::daemon
