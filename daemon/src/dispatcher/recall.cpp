#include "recall.hpp"

#include <utility>
#include <vector>

namespace tenure::daemon {

namespace {

// The process that would take the newcomer's job, of those that perform it; nothing where a slot is free.
Process* least_loaded(std::size_t pool, const Ring::Place& newcomer, const Ring& ring, Processes& processes) {
  Process* least = nullptr;
  for (auto& [number, process] : processes.all()) {
    if (process.pool != pool || !process.takes_jobs()) continue;
    if (!ring.is_in(newcomer.bucket, newcomer.tenant, process.program)) continue;
    if (process.free_slots() > 0) return nullptr;
    if (least == nullptr || process.jobs.size() < least->jobs.size()) least = &process;
  }
  return least;
}

// Its outranked jobs that were assigned ahead, marked as recalled.
std::vector<queue::ClaimRef> take_outranked(Process& process, const Ring::Place& newcomer,
                                            const Lanes& lanes) {
  std::vector<queue::ClaimRef> jobs;
  const Ring& ring = lanes.ring(process.pool);
  process.jobs.for_each_ahead([&](OutstandingJob& job) {
    const TenantNumber tenant = job.lane.tenant;
    const auto bucket = lanes.bucket_of(process.pool, job.lane);
    if (job.recalled || tenant == newcomer.tenant || !bucket || *bucket < newcomer.bucket) return;
    if (*bucket == newcomer.bucket && ring.virtual_us(tenant) <= newcomer.virtual_us) return;
    job.recalled = true;
    jobs.push_back(job.claim);
  });
  return jobs;
}

}  // namespace

void recall_for(std::size_t pool, const Ring::Place& newcomer, const Lanes& lanes, Processes& processes,
                Actions& actions) {
  Process* const process = least_loaded(pool, newcomer, lanes.ring(pool), processes);
  if (process == nullptr) return;
  if (process->jobs.ahead_us() < kRecallAheadMin.count() * static_cast<std::int64_t>(process->slots)) return;
  std::vector<queue::ClaimRef> jobs = take_outranked(*process, newcomer, lanes);
  if (!jobs.empty()) actions.emplace_back(Recall{process->number, std::move(jobs)});
}

}  // namespace tenure::daemon
