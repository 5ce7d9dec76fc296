#include "recall.hpp"

#include "kept_room.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tenure::daemon {

namespace {

// The process that would take the newcomer's job, of those that perform it; nothing where a slot is free.
Process* least_loaded(std::size_t pool, const Ring::Standing& newcomer, DispatcherState& state) {
  Process* least = nullptr;
  for (auto& [number, process] : state.processes.all()) {
    if (process.pool != pool || !process.takes_jobs()) continue;
    if (!state.lanes.ring(pool).is_in(newcomer.bucket, newcomer.tenant, process.offer)) continue;
    if (process.free_slots() > 0) return nullptr;
    if (least == nullptr || process.jobs.size() < least->jobs.size()) least = &process;
  }
  return least;
}

// Calls back what is assigned ahead and `is_wanted`.
template <class Wanted>
void recall(Process& process, Actions& actions, Wanted&& is_wanted) {
  std::vector<queue::ClaimRef> jobs = process.jobs.recall(is_wanted);
  if (!jobs.empty()) actions.emplace_back(Recall{process.number, std::move(jobs)});
}

void recall_for(std::size_t pool, const Ring::Standing& newcomer, DispatcherState& state) {
  Process* const process = least_loaded(pool, newcomer, state);
  if (process == nullptr) return;
  if (process->jobs.ahead_us() < kRecallAheadMin.count() * static_cast<std::int64_t>(process->slots)) return;
  const Ring& ring = state.lanes.ring(pool);
  recall(*process, state.actions, [&](const OutstandingJob& job) {
    const TenantNumber tenant = job.lane.tenant;
    const Bucket bucket{job.lane.queue, job.lane.priority};
    if (tenant == newcomer.tenant || ring.is_before(bucket, newcomer.bucket)) return false;
    return bucket != newcomer.bucket || ring.virtual_us(tenant) > newcomer.virtual_us;
  });
}

// Leaves so much usual run time ahead, of what comes first.
void recall_all_but(Process& process, std::int64_t us_left, Actions& actions) {
  recall(process, actions, [&](const OutstandingJob& job) {
    us_left -= job.assumed_us;
    return us_left < 0;
  });
}

// A check that comes late says that we were late, not the job: what has ended meanwhile may not have been read yet.
void check_for_late(Process& process, Instant now, Actions& actions) {
  // One that is leaving gives back what waits by itself.
  if (!process.takes_jobs() || process.jobs.waiting() == 0) return process.late_check.reset();
  if (process.late_check && now < *process.late_check) return;
  const bool is_in_time = process.late_check && now - *process.late_check <= kLateCheck;
  process.late_check = now + kLateCheck;
  if (is_in_time) recall_all_but(process, process.ahead_us_max(now, kLateAfter), actions);
  if (process.jobs.waiting() == 0) process.late_check.reset();
}

// Whether it has a free slot, and its pool nothing that it could claim.
bool is_idle(const Process& process, const KeptRoom& kept, const DispatcherState& state) {
  if (process.free_slots() == 0) return false;
  const Ring& ring = state.lanes.ring(process.pool);
  auto standing = ring.first(process.offer);
  while (standing && kept.room(standing->bucket.priority) == 0)
    standing = ring.after_bucket(standing->bucket, process.offer);
  return !standing;
}

void ask_for(const Process& idle, Process& busy, DispatcherState& state) {
  const std::int64_t ahead_us = busy.jobs.ahead_us();
  std::int64_t us_left = busy.ahead_us_max(state.now.steady, kLateForIdle);
  if (ahead_us >= kRecallAheadMin.count() * static_cast<std::int64_t>(busy.slots))
    us_left = std::min(us_left, ahead_us / 2);
  recall(busy, state.actions, [&](const OutstandingJob& job) {
    us_left -= job.assumed_us;
    return us_left < 0 && state.lanes.performs(idle.pool, idle.offer, job.lane);
  });
}

}  // namespace

void recall_all(Process& process, Actions& actions) {
  recall(process, actions, [](const OutstandingJob&) { return true; });
}

void recall_for_newcomers(DispatcherState& state) {
  for (std::size_t pool = 0; pool < state.settings.pools.size(); ++pool) {
    const std::vector<TenantNumber> newcomers = state.lanes.ring(pool).take_newcomers();
    if (newcomers.empty() || state.stopping.is_asked()) continue;
    if (const auto standing = state.lanes.ring(pool).standing_of(newcomers.front()))
      recall_for(pool, *standing, state);
  }
}

void recall_by_the_clock(DispatcherState& state) {
  std::vector<Process*> busy;  // nearly always few
  for (auto& [number, process] : state.processes.all()) {
    check_for_late(process, state.now.steady, state.actions);
    if (process.takes_jobs() && process.jobs.waiting() > 0) busy.push_back(&process);
  }
  if (busy.empty()) return;
  std::vector<KeptRoom> kept;
  for (std::size_t pool = 0; pool < state.settings.pools.size(); ++pool)
    kept.emplace_back(state.settings.pools[pool].reserved, pool, state.processes);
  for (const auto& [number, process] : state.processes.all()) {
    if (!is_idle(process, kept[process.pool], state)) continue;
    for (Process* const other : busy) {
      if (other->pool == process.pool) ask_for(process, *other, state);
    }
  }
}

}  // namespace tenure::daemon
