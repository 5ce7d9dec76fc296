#include "../dispatcher/assigned_jobs.hpp"

#include <tenure/daemon/rounds/trials.hpp>

#include <utility>

namespace tenure::daemon {

std::optional<TrialsPart::Ask> TrialsPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::working)) return std::nullopt;
  const auto trial = state.suspects.next(state.now.steady);
  if (!trial) return std::nullopt;
  state.lanes.plan_start(trial->lane);
  return Ask{trial->seq, {state.incarnation, state.next_counter++}, trial->process, trial->is_alone};
}

TrialsPart::Answer TrialsPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  return writer.claim_suspect(ask, now);
}

void TrialsPart::absorb(DispatcherState& state, const Ask& ask, Answer& reply) {
  if (reply.gate) return state.suspects.gated(ask.seq, *reply.gate, state.now.steady);
  if (reply.jobs.empty()) return state.suspects.gone(ask.seq);
  state.suspects.begun(ask.seq, state.now.steady);
  state.lanes.name_kinds({reply.jobs.front().lane.kind}, {reply.jobs.front().kind});
  state.lanes.started(reply.jobs.front().lane, state.now.steady);
  Process* const process = state.processes.find(ask.process);
  if (process != nullptr && process->takes_jobs() &&
      state.lanes.takes_tenant(process->pool, reply.jobs.front().lane.tenant)) {
    count_assigned(state, *process, reply.jobs);
    state.actions.emplace_back(Assign{process->number, std::move(reply.jobs)});
    return;
  }
  state.endings.give_back(reply.jobs.front());
  state.suspects.ended(ask.seq);
}

void TrialsPart::undo(DispatcherState& state, const Ask&) { state.suspects.not_begun(); }

}  // namespace tenure::daemon
