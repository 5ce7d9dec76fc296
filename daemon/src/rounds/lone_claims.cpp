#include "../dispatcher/assigned_jobs.hpp"

#include <tenure/daemon/rounds/lone_claims.hpp>

#include <utility>

namespace tenure::daemon {

namespace {

void absorb_one(DispatcherState& state, const queue::SuspectRequest& request, queue::ClaimReply& reply) {
  if (reply.gate) return state.lone_jobs.gated(request.seq, *reply.gate);
  Alone alone = state.lone_jobs.gone(request.seq);
  if (reply.jobs.empty()) return state.lone_jobs.ended(request.seq);
  state.lanes.started(reply.jobs.front().lane, state.now.steady);
  Process* const process = state.processes.find(request.process);
  const bool is_there = process != nullptr && process->phase == Phase::ready;
  if (!is_there) {
    ++alone.vain_tries;
    return state.endings.give_back(reply.jobs.front(), alone);
  }
  if (!state.lanes.takes_tenant(process->pool, reply.jobs.front().lane.tenant))
    return state.endings.give_back(reply.jobs.front(), alone);
  count_assigned(state, *process, reply.jobs);
  state.actions.emplace_back(Assign{process->number, std::move(reply.jobs)});
}

}  // namespace

std::optional<LoneClaimsPart::Ask> LoneClaimsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working) || state.suspects.hold_others(state.now.steady)) return std::nullopt;
  Ask requests;
  for (const LoneJobs::Claim& claim : state.lone_jobs.take())
    requests.push_back({claim.seq, {state.incarnation, state.next_counter++}, claim.process});
  if (requests.empty()) return std::nullopt;
  return requests;
}

// It is a suspect still, until it has succeeded, and on no trial: a death of the daemon would be its first.
LoneClaimsPart::Answer LoneClaimsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  Answer replies;
  replies.reserve(ask.size());
  for (const queue::SuspectRequest& request : ask) {
    replies.push_back(writer.claim_suspect(request, now));
    if (!replies.back().jobs.empty()) writer.end_trial(request.seq);
  }
  return replies;
}

void LoneClaimsPart::absorb(DispatcherState& state, const Ask& ask, Answer& replies) {
  for (std::size_t index = 0; index < ask.size(); ++index) absorb_one(state, ask[index], replies[index]);
}

void LoneClaimsPart::undo(DispatcherState& state, const Ask& ask) {
  for (const queue::SuspectRequest& request : ask) state.lone_jobs.not_begun(request.seq);
}

}  // namespace tenure::daemon
