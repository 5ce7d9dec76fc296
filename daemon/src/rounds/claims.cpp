#include "../dispatcher/assigned_jobs.hpp"

#include <tenure/daemon/rounds/claims.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace tenure::daemon {

namespace {

using queue::ClaimedJob;

// On the store's thread: what the requests of one round share.
class Claimer {
 public:
  Claimer(queue::StoreWriter& writer, std::size_t bytes_max, WallTime now)
      : writer_(writer), bytes_left_(bytes_max), now_(now) {}

  queue::ClaimReply claim(queue::ClaimRequest request) {
    if (bytes_left_ == 0 && !request.first_of_any_size) return {.stopped_by_bytes = true};
    request.bytes_max = std::min(request.bytes_max, bytes_left_);
    for (queue::LaneCursor& cursor : request.kinds) {
      const auto found = claimed_until_.find(lane_of(request, cursor));
      if (found != claimed_until_.end() && (!cursor.after || *cursor.after < found->second))
        cursor.after = found->second;
    }
    queue::ClaimReply reply = writer_.claim(request, now_);
    for (const ClaimedJob& job : reply.jobs)
      bytes_left_ -= std::min(bytes_left_, job.envelope.size() + job.cursor.size());
    if (reply.stopped_by_bytes) bytes_left_ = 0;
    if (reply.jobs.empty()) return reply;
    for (const queue::LaneCursor& cursor : request.kinds) {
      claimed_until_.insert_or_assign(lane_of(request, cursor), reply.jobs.back().place);
    }
    return reply;
  }

 private:
  static queue::Lane lane_of(const queue::ClaimRequest& request, const queue::LaneCursor& cursor) {
    return {request.queue, request.priority, request.tenant, cursor.kind};
  }
  queue::StoreWriter& writer_;
  std::size_t bytes_left_;
  WallTime now_;
  std::map<queue::Lane, queue::LanePlace> claimed_until_;
};

// One frame for each process and round.
void assign(Actions& actions, std::size_t first_action, ProcessNumber process, std::vector<ClaimedJob> jobs) {
  if (jobs.empty()) return;
  for (std::size_t index = first_action; index < actions.size(); ++index) {
    auto* const earlier = std::get_if<Assign>(&actions[index]);
    if (earlier == nullptr || earlier->process != process) continue;
    earlier->jobs.insert(earlier->jobs.end(), std::make_move_iterator(jobs.begin()),
                         std::make_move_iterator(jobs.end()));
    return;
  }
  actions.emplace_back(Assign{process, std::move(jobs)});
}

// The jobs are counted before the plan is taken back, so that their tenant does not look absent in between.
void absorb_claim(DispatcherState& state, const PlannedClaim& planned, const queue::ClaimRequest& request,
                  queue::ClaimReply& reply, std::size_t first_action) {
  Process* const process = state.processes.find(request.process);
  // The rules of its pool may be others since it was asked.
  const bool can_take =
      process != nullptr && process->takes_jobs() && state.lanes.takes_tenant(process->pool, request.tenant);
  state.key_turns.started(reply.jobs);
  if (can_take) count_assigned(state, *process, reply.jobs);
  state.plan.undo(planned, request);
  if (can_take && state.fan_outs.count_starts())
    for (const ClaimedJob& job : reply.jobs) state.fan_outs.started(job.seq, state.now.steady);
  if (state.lanes.has_limits())
    for (const ClaimedJob& job : reply.jobs) state.lanes.started(job.lane, state.now.steady);
  state.lanes.settle(request, reply, state.arrivals.last_seq());
  if (can_take) {
    assign(state.actions, first_action, process->number, std::move(reply.jobs));
  } else {
    for (const ClaimedJob& job : reply.jobs) state.endings.give_back(job);
  }
}

}  // namespace

std::optional<ClaimsPart::Ask> ClaimsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working) || state.suspects.hold_others(state.now.steady)) return std::nullopt;
  Ask ask{state.plan.make(kRoundRowsMax, state.now.steady), kRoundBytesMax};
  if (ask.requests.empty()) return std::nullopt;
  for (queue::ClaimRequest& request : ask.requests) {
    request.incarnation = state.incarnation;
    request.first_counter = state.next_counter;
    state.next_counter += static_cast<std::int64_t>(request.count);
  }
  return ask;
}

ClaimsPart::Answer ClaimsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  Claimer claimer(writer, ask.bytes_max, now);
  Answer replies;
  replies.reserve(ask.requests.size());
  for (const queue::ClaimRequest& request : ask.requests) replies.push_back(claimer.claim(request));
  return replies;
}

void ClaimsPart::absorb(DispatcherState& state, const Ask& ask, Answer& replies) {
  const std::vector<PlannedClaim>& planned = state.plan.claims();
  TENURE_INVARIANT(replies.size() == ask.requests.size() && planned.size() == ask.requests.size());
  const std::size_t first_action = state.actions.size();
  for (std::size_t index = 0; index < replies.size(); ++index)
    absorb_claim(state, planned[index], ask.requests[index], replies[index], first_action);
  state.plan.clear();
}

void ClaimsPart::undo(DispatcherState& state, const Ask& ask) {
  for (std::size_t index = 0; index < ask.requests.size(); ++index) {
    state.plan.undo(state.plan.claims()[index], ask.requests[index]);
    state.lanes.forget_plan(ask.requests[index]);
  }
  state.plan.clear();
}

}  // namespace tenure::daemon
