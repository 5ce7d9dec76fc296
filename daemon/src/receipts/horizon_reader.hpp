#pragma once

#include "horizon_scan.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace tenure::daemon {

// Carries out what HorizonScan wants, by snapshots of the store that hold up nobody who writes, and tells what it has found.
// Threads: one at a time.
class HorizonReader {
 public:
  static constexpr std::chrono::seconds kPeriod{1};
  using Tell = std::function<void(std::shared_ptr<const ReceiptHorizons>)>;

  // Store and clock outlive it.
  HorizonReader(queue::Store& store, const Clock& clock, Tell tell);

  // Reads a page where one is due. Returns how long nothing will be.
  [[nodiscard]] std::chrono::microseconds pass();

 private:
  queue::Store& store_;
  const Clock& clock_;
  const Tell tell_;
  HorizonScan scan_;
  LineLimit unread_lines_;
};

}  // namespace tenure::daemon
