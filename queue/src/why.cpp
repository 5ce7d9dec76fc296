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
  if (reason == JobReason::retry_wait) return {reason, attempted, job.due};
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
  for (const JobReason gate : gates_of(lane)) reasons.push_back({gate, std::nullopt, std::nullopt});
  if (reasons.empty()) reasons.push_back({JobReason::tenant_turn, job.due, std::nullopt});
  return reasons;
}

JobReason deciding_reason(const JobRecord& job, bool has_dispatcher, WallTime now) {
  if (!waits(job.state)) return job.reason;
  if (const JobReason own = own_reason(job, now); own != JobReason::none) return own;
  if (const JobReason gate = tenant_gate(job.tenant_state); gate != JobReason::none) return gate;
  if (!has_dispatcher) return JobReason::no_dispatcher;
  return job.state == ShownState::held ? job.reason : JobReason::tenant_turn;
}

}  // namespace tenure::queue
