#include <tenure/queue/store.hpp>
#include <tenure/queue/why.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

bool waits(ShownState state) {
  switch (state) {
    case ShownState::scheduled:
    case ShownState::ready:
    case ShownState::blocked:
    case ShownState::held:
      return true;
    case ShownState::running:
    case ShownState::succeeded:
    case ShownState::dead:
    case ShownState::discarded:
    case ShownState::cancelled:
      break;
  }
  return false;
}

// What its own row says. JobReason::none: it is ready, or would be if somebody looked.
JobReason own_reason(const JobRecord& job, WallTime now) {
  if (!job.refused.empty()) return JobReason::row_refused;
  if (job.state == ShownState::blocked) return job.reason;
  if (job.state == ShownState::scheduled && job.due > now) return job.reason;
  return JobReason::none;
}

WaitReason told_of(const JobRecord& job, JobReason reason, std::optional<WallTime> attempted) {
  if (reason == JobReason::not_due) return {reason, job.created, job.due};
  if (reason == JobReason::retry_wait || reason == JobReason::put_off) return {reason, attempted, job.due};
  if (reason == JobReason::row_refused) return {reason, job.created, std::nullopt};
  return {reason, attempted, std::nullopt};  // blocked, when a claim of it had ended
}

}  // namespace

std::vector<WaitReason> wait_reasons(const JobRecord& job, const LaneFacts& lane,
                                     std::optional<WallTime> attempted, WallTime now) {
  std::vector<WaitReason> reasons;
  if (!waits(job.state)) return reasons;
  if (const JobReason own = own_reason(job, now); own != JobReason::none)
    reasons.push_back(told_of(job, own, attempted));
  const bool is_of_former = !reasons.empty() && reasons.front().reason == JobReason::generation;
  for (const JobReason gate : gates_of(lane)) {
    if (is_of_former && gate == JobReason::tenant_deleted)
      continue;  // its generation is, and the tenant is not
    reasons.push_back({gate, std::nullopt, gate == JobReason::limit_rate ? lane.next_start : std::nullopt});
  }
  if (!reasons.empty()) return reasons;
  if (lane.are_slots_taken) reasons.push_back({JobReason::slots_full, std::nullopt, std::nullopt});
  else if (lane.are_slots_kept) reasons.push_back({JobReason::slots_reserved, std::nullopt, std::nullopt});
  reasons.push_back({JobReason::tenant_turn, job.due, std::nullopt});
  return reasons;
}

JobReason deciding_reason(const JobRecord& job, const DispatcherFacts& dispatcher, WallTime now) {
  if (!waits(job.state)) return job.reason;
  if (const JobReason own = own_reason(job, now); own != JobReason::none) return own;
  const bool is_let_read = job.reason != JobReason::tenant_read_only;
  if (const JobReason gate = tenant_gate(job.tenant_state, is_let_read); gate != JobReason::none) return gate;
  if (!dispatcher.is_there) return JobReason::no_dispatcher;
  if (job.state == ShownState::held) return job.reason;
  const auto pools = performing_pools(dispatcher, job);
  if (are_taken(pools)) return JobReason::slots_full;
  return are_kept(pools, job.priority) ? JobReason::slots_reserved : JobReason::tenant_turn;
}

DispatcherFacts dispatcher_facts(JobReader& reader) {
  return {.is_there = reader.has_dispatcher(), .pools = reader.pools(), .slots = reader.pool_slots()};
}

std::vector<PoolSlots> performing_pools(const DispatcherFacts& dispatcher, const JobRecord& job) {
  std::vector<PoolSlots> performing;
  for (const PoolRecord& pool : dispatcher.pools) {
    if (pool.workers == 0 || !std::ranges::binary_search(pool.queues, job.queue) ||
        !std::ranges::binary_search(pool.kinds, job.kind) ||
        !pool.tenants.takes(job.tenant ? std::string_view{job.tenant->text()} : kUntenantedName))
      continue;
    const auto slots = std::ranges::find(dispatcher.slots, pool.name, &PoolSlots::name);
    performing.push_back(slots == dispatcher.slots.end() ? PoolSlots{pool.name} : *slots);
  }
  return performing;
}

bool are_taken(std::span<const PoolSlots> slots) {
  std::int64_t all = 0;
  std::int64_t taken = 0;
  for (const PoolSlots& pool : slots) {
    all += pool.slots;
    taken += pool.taken;
  }
  return all > 0 && taken >= all;
}

bool are_kept(std::span<const PoolSlots> slots, Priority priority) {
  bool is_any_kept = false;
  for (const PoolSlots& pool : slots) {
    const std::int64_t room = room_beside(pool.kept, pool.slots, priority);
    if (std::min(pool.slots - pool.taken, room) > 0) return false;
    is_any_kept = is_any_kept || room == 0;
  }
  return is_any_kept;
}

}  // namespace tenure::queue
