#include "store_sample.hpp"

#include "metric_table.hpp"

#include <algorithm>

namespace tenure::daemon {
namespace {

double age_in_seconds(WallTime since, WallTime now) {
  return std::max(0.0, static_cast<double>((now - since).count()) / 1e6);
}

// Of one queue, or of those that share `_other`.
struct QueueSum {
  std::map<std::string_view, std::int64_t> jobs;  // by state
  std::optional<WallTime> oldest;
  bool is_without_pool = false;

  void add(const queue::QueueRecord& queue) {
    jobs["scheduled"] += queue.scheduled;
    jobs["ready"] += queue.ready;
    jobs["held"] += queue.held;
    jobs["running"] += queue.running;
    jobs["dead"] += queue.dead;
    if (queue.oldest_ready && (!oldest || *queue.oldest_ready < *oldest)) oldest = queue.oldest_ready;
    is_without_pool |= std::ranges::any_of(queue.held_by, [](const queue::HeldJobs& held) {
      return held.reason == queue::JobReason::queue_without_pool;
    });
  }
};

}  // namespace

std::optional<StoreSample> sample_store(queue::ReadableStore& store, std::span<const TenantName> top_tenants,
                                        WallTime now, FunctionRef<bool()> is_given_up) {
  StoreSample sample;
  bool is_whole = false;
  store.read([&](queue::JobReader& reader) {
    if (is_given_up()) return;
    reader.set_now(now);
    sample.queues = reader.queues();
    if (is_given_up()) return;
    sample.tenants = reader.tenant_counts();
    for (const queue::PauseRecord& pause : reader.pauses()) ++sample.paused[pause.scope];
    sample.paused[queue::PauseScope::tenant] = sample.tenants[TenantState::paused];
    sample.batches = reader.batches().census();
    sample.fan_outs = reader.fan_outs().fan_out_census();
    sample.tenants_behind = std::ssize(reader.tenants_behind());
    if (is_given_up()) return;
    if (!top_tenants.empty()) sample.top_tenants = reader.tenants_named(top_tenants);
    is_whole = true;
  });
  if (!is_whole) return std::nullopt;
  return sample;
}

void add_to(MetricFamilies& families, const StoreSample& sample, LabelNames& names, Now now) {
  std::map<std::string, QueueSum> queues;
  std::map<std::string_view, std::int64_t> held;
  for (const queue::QueueRecord& queue : sample.queues) {
    queues[names.label(queue.name)].add(queue);
    for (const queue::HeldJobs& reason : queue.held_by) held[name_of(reason.reason)] += reason.jobs;
  }
  for (const auto& [name, sum] : queues) {
    for (const auto& [state, jobs] : sum.jobs)
      families.add(metric::kJobs, {{"queue", name}, {"state", std::string{state}}},
                   static_cast<double>(jobs));
    families.add(metric::kQueueOldest, {{"queue", name}},
                 sum.oldest ? age_in_seconds(*sum.oldest, now.wall) : 0);
    families.add(metric::kQueueWithoutPool, {{"queue", name}}, sum.is_without_pool ? 1 : 0);
  }
  for (const auto& [reason, jobs] : held)
    families.add(metric::kJobsHeld, {{"reason", std::string{reason}}}, static_cast<double>(jobs));
  for (const queue::PauseScope scope :
       {queue::PauseScope::queue, queue::PauseScope::kind, queue::PauseScope::tenant}) {
    const auto paused = sample.paused.find(scope);
    families.add(metric::kPaused, {{"scope", std::string{name_of(scope)}}},
                 paused == sample.paused.end() ? 0 : static_cast<double>(paused->second));
  }
  families.add(metric::kBatches, {{"state", "open"}}, static_cast<double>(sample.batches.open));
  families.add(metric::kBatches, {{"state", "closed"}}, static_cast<double>(sample.batches.closed));
  families.add(metric::kBatchOldestOpen, {},
               sample.batches.oldest_open ? age_in_seconds(*sample.batches.oldest_open, now.wall) : 0);
  families.add(metric::kFanOuts, {}, static_cast<double>(sample.fan_outs.under_way));
  families.add(metric::kFanOutTenantsLeft, {}, static_cast<double>(sample.fan_outs.tenants_left));
  families.add(metric::kTenantsBehindSchema, {}, static_cast<double>(sample.tenants_behind));
  for (const auto& [state, tenants] : sample.tenants)
    families.add(metric::kTenants, {{"state", std::string{name_of(state)}}}, static_cast<double>(tenants));
  for (const queue::TenantSummary& tenant : sample.top_tenants) {
    families.add(metric::kTopReady, {{"tenant", tenant.tenant.name.text()}},
                 static_cast<double>(tenant.ready));
    families.add(metric::kTopOldest, {{"tenant", tenant.tenant.name.text()}},
                 tenant.oldest_ready ? age_in_seconds(*tenant.oldest_ready, now.wall) : 0);
  }
  for (const auto& [file, bytes] : sample.file_bytes)
    families.add(metric::kStoreSize, {{"file", file}}, static_cast<double>(bytes));
  families.add(metric::kSampleAge, {}, static_cast<double>((now.steady - sample.at).count()) / 1e6);
}

}  // namespace tenure::daemon
