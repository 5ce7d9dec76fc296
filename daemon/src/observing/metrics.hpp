#pragma once

#include "../outbox/sweep_figures.hpp"
#include "fan_out_counts.hpp"
#include "followed_runs.hpp"
#include "histogram.hpp"
#include "job_counts.hpp"
#include "schedule_counts.hpp"
#include "store_sample.hpp"
#include "top_tenants.hpp"
#include "worker_counts.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenure::daemon {

// All that /metrics tells, but what health knows. It folds what the dispatcher is told and what it wants, and keeps the last look at the
// store. A machine without I/O: the same events and actions give the same figures.
// Threads: one at a time.
class Metrics final : private FollowedRuns::Listener {
 public:
  static constexpr std::chrono::seconds kTopTenantsOver{60};

  struct Options {
    std::vector<std::string> pools;  // their names, in the dispatcher's order
    std::size_t top_tenants = 0;
    std::string version = {};
  };
  Metrics(Options options, Now now)
      : options_(std::move(options)),
        workers_(options_.pools),
        top_tenants_(options_.top_tenants, kTopTenantsOver, now.steady) {}

  // By the pools that the dispatcher is made with, before it is told or wants anything.
  void lock_taken(std::vector<std::string> pools) { workers_.set_pools(std::move(pools)); }
  // Of these pools, slots that are kept; until a reload says otherwise.
  void slots_are_reserved(std::vector<std::int64_t> slots) { workers_.set_reserved(std::move(slots)); }
  void happened(const Event& event, Now now);
  void decided(const Actions& actions, Now now);
  // To be called about each second.
  void ticked(const DispatcherStatus& status, Now now);
  void store_was_seen(StoreSample sample);
  void swept(const SweepFigures& figures) { swept_ = figures; }
  void pruned(const queue::Pruned& jobs) { pruned_ = jobs; }

  // Whose figures the next look at the store shall bring.
  [[nodiscard]] std::vector<TenantName> top_tenants() const;
  [[nodiscard]] MetricFamilies collect(Now now);

 private:
  void on_round(const RoundReply& reply, Now now);
  void began(const Run& run, Now now) override { jobs_.began(run, now); }
  void ended(const Run& run, const AttemptEnd& end) override { jobs_.ended(run, end); }
  void left(const Run& run, Now now) override;
  void add_store(MetricFamilies& families, Now now);
  void add_outboxes(MetricFamilies& families, Now now) const;

  Options options_;
  JobCounts jobs_;
  ScheduleCounts schedules_;
  FanOutCounts fan_outs_;
  WorkerCounts workers_;
  FollowedRuns runs_;
  TopTenants top_tenants_;
  LabelNames queue_names_;
  std::shared_ptr<const RoundWork> round_;  // under way, since:
  Instant round_at_;
  DurationHistogram rounds_, samples_;
  std::map<std::string_view, std::int64_t> store_errors_{{name_of(ErrorCode::store_busy), 0},
                                                         {name_of(ErrorCode::disk), 0}};
  std::int64_t store_busy_ = 0;
  DispatcherStatus status_;
  SweepFigures swept_;
  queue::Pruned pruned_;
  std::optional<StoreSample> sample_;
};

}  // namespace tenure::daemon
