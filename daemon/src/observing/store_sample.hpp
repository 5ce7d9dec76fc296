#pragma once

#include "label_bound.hpp"
#include "metric.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenure::daemon {

// What was seen in the store at one moment.
struct StoreSample {
  std::string backend, library;  // "sqlite", "3.40.1"
  std::vector<queue::QueueRecord> queues;
  std::map<TenantState, std::int64_t> tenants;
  std::map<queue::PauseScope, std::int64_t> paused;
  queue::BatchCensus batches;
  queue::FanOutCensus fan_outs;
  std::int64_t tenants_behind = 0;
  std::vector<queue::TenantSummary> top_tenants;    // those that were asked for and live
  std::map<std::string, std::uint64_t> file_bytes;  // by what the file is
  Instant at;                                       // when it was complete
  std::chrono::microseconds took{0};
};

// One snapshot, or nothing where it is given up, which is asked before each question. Throws what the store throws.
[[nodiscard]] std::optional<StoreSample> sample_store(queue::ReadableStore& store,
                                                      std::span<const TenantName> top_tenants, WallTime now,
                                                      FunctionRef<bool()> is_given_up);

// `names` keeps which queues have a label of their own.
void add_to(MetricFamilies& families, const StoreSample& sample, LabelNames& names, Now now);

}  // namespace tenure::daemon
