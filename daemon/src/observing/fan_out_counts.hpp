#pragma once

#include "metric.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <cstdint>

namespace tenure::daemon {

// What fan-outs have done since this daemon began; from what the store has answered.
// Threads: one at a time.
class FanOutCounts {
 public:
  // A round that the store has carried out.
  void stored(const RoundReply& reply);
  void add_to(MetricFamilies& families) const;

 private:
  std::int64_t made_ = 0, skipped_ = 0, refused_ = 0;
};

}  // namespace tenure::daemon
