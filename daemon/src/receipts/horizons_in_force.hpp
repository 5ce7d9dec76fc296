#pragma once

#include "horizon_scan.hpp"

#include <tenure/base/clock_leaps.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <memory>

namespace tenure::daemon {

// Which receipt horizon goes beside each job that is assigned: that of its tenant, and never one above the job's own id. None where it
// was read too long ago, and none while receipts look older than they are, since the clock was put forward.
// Threads: one at a time.
class HorizonsInForce {
 public:
  // As long as no receipt can have become old enough that was written after it was read.
  static constexpr std::chrono::hours kFreshFor{24};

  void use(std::shared_ptr<const ReceiptHorizons> horizons) { horizons_ = std::move(horizons); }
  // All zero: nothing may be forgotten.
  [[nodiscard]] queue::JobId of(const queue::ClaimedJob& job, Now now);

 private:
  std::shared_ptr<const ReceiptHorizons> horizons_;
  ClockLeaps leaps_;
};

}  // namespace tenure::daemon
