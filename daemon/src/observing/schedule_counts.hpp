#pragma once

#include "histogram.hpp"
#include "label_bound.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tenure::daemon {

// What has become of ticks since this daemon began; from what the dispatcher asks the store and is answered. Of a tick of each tenant each job
// counts.
// Threads: one at a time.
class ScheduleCounts {
 public:
  // A round that the store has carried out.
  void stored(const RoundWork& work, const RoundReply& reply, Now now);
  void add_to(MetricFamilies& families) const;

 private:
  void count(const std::string& schedule, queue::TickResult result, std::int64_t ticks);

  LabelNames names_;
  std::map<std::pair<std::string, std::string_view>, std::int64_t> ticks_;  // by schedule and result
  DurationHistogram lag_;
};

}  // namespace tenure::daemon
