#include "../dispatcher/state.hpp"
#include "refusal_rows.hpp"

#include <tenure/base/text.hpp>
#include <tenure/daemon/rounds/ends.hpp>
#include <tenure/queue/retry_rule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>

namespace tenure::daemon {

namespace {

using queue::JobState;

constexpr std::size_t kReasonShown = 200;  // bytes: the whole of it is in the attempt, and these rows stay

// Carries out one end; the state that the job has then.
struct EndCarrier {
  queue::StoreWriter& writer;
  queue::ClaimRef claim;
  bool is_alone = false;
  WallTime now;

  static Result<JobState> state_after(const Result<void>& result, JobState state) {
    if (!result) return tl::unexpected(result.error());
    return state;
  }
  Result<JobState> operator()(const EndSucceeded& end) const {
    const Result<void> finished = writer.finish_succeeded(claim, now);
    if (finished && end.returned) writer.keep_result(claim.seq, *end.returned, now);
    if (finished && is_alone)
      writer.acquit(claim.seq);  // what is another's claim says nothing of the suspicion
    return state_after(finished, JobState::succeeded);
  }
  Result<JobState> operator()(const EndRetry& end) const {
    return state_after(
        writer.retry(claim, {.due = end.due, .reason = end.reason, .rule = end.rule}, end.failure, now),
        JobState::scheduled);
  }
  Result<JobState> operator()(const EndPutOff& end) const {
    return state_after(writer.put_off(claim, end.due, end.why, now), JobState::scheduled);
  }
  Result<JobState> operator()(const EndFinal& end) const {
    return state_after(writer.finish(claim, end.state, end.reason, end.failure, now), end.state);
  }
  Result<JobState> operator()(const EndRelease& end) const {
    if (is_alone)
      return state_after(writer.release_suspect(claim, end.started, end.why, now), JobState::blocked);
    return state_after(writer.release(claim, end.started, end.why, now), JobState::ready);
  }
  Result<JobState> operator()(const EndBlock& end) const {
    return state_after(writer.block(claim, end.reason), JobState::blocked);
  }
  Result<JobState> operator()(const EndReclaim& end) const {
    const bool is_dead = end.charge == queue::CrashCharge::poison;
    if (is_alone)
      return state_after(writer.suspect_of_process(claim, end.charge, end.failure, now),
                         is_dead ? JobState::dead : JobState::blocked);
    return state_after(writer.reclaim(claim, end.charge, end.failure, now),
                       is_dead ? JobState::dead : JobState::ready);
  }
};

// The run that a claim ends with, whatever becomes of its job.
struct RunOfEnd {
  bool has_started = true;
  queue::AttemptFailure failure;
};
struct RunReader {
  RunOfEnd operator()(const EndSucceeded&) const { return {true, {}}; }
  RunOfEnd operator()(const EndRetry& end) const { return {true, end.failure}; }
  RunOfEnd operator()(const EndPutOff& end) const { return {true, end.why}; }
  RunOfEnd operator()(const EndFinal& end) const {
    return {end.reason != queue::JobReason::expired, end.failure};
  }
  RunOfEnd operator()(const EndRelease& end) const { return {end.started, end.why}; }
  RunOfEnd operator()(const EndBlock&) const { return {false, {}}; }
  RunOfEnd operator()(const EndReclaim& end) const { return {true, end.failure}; }
};
RunOfEnd run_of(const ClaimEnd& end) { return std::visit(RunReader{}, end.how); }

// What an operator has cancelled does not start again, and is not dead for how it was stopped. The store is asked here, since a request
// may be younger than what the dispatcher knows.
Result<JobState> carried_out(queue::StoreWriter& writer, const ClaimEnd& end, WallTime now) {
  const EndCarrier carrier{writer, end.claim, end.alone.has_value(), now};
  if (std::holds_alternative<EndSucceeded>(end.how) || !writer.is_cancel_asked(end.claim))
    return std::visit(carrier, end.how);
  const RunOfEnd run = run_of(end);
  return EndCarrier::state_after(writer.cancel(end.claim, run.has_started, run.failure, now),
                                 JobState::cancelled);
}

using AuditRow = EndFinal::AuditRow;

void decide_row(ClaimEnd& end, Refusals& refusals, Instant now) {
  auto* const last = std::get_if<EndFinal>(&end.how);
  if (last == nullptr || last->refused.empty() || last->audit_row != AuditRow::undecided) return;
  last->audit_row = refusals.admit(now) ? AuditRow::own : AuditRow::counted;
}

AuditRow row_of(const ClaimEnd& end) {
  const auto* const last = std::get_if<EndFinal>(&end.how);
  return last == nullptr ? AuditRow::undecided : last->audit_row;
}

// In the commit by which the job is dead.
void note_refusal(queue::StoreWriter& writer, const ClaimEnd& end, WallTime now) {
  if (row_of(end) != AuditRow::own) return;
  const auto& last = std::get<EndFinal>(end.how);
  append_refusal(writer, last.refused, 1,
                 fmt::format("{}: {}", name_of(last.failure.code), escaped(last.failure.error, kReasonShown)),
                 now);
}

// A job has found its tenant behind.
void note_behind(queue::StoreWriter& writer, const ClaimEnd& end, WallTime now) {
  writer.note_behind({end.lane.tenant, end.schema_wanted,
                      escaped(std::get<EndRelease>(end.how).why.error, kReasonShown), now});
  if (end.migrate_in.empty()) return;
  static_cast<void>(writer.start_migration({.tenant = end.lane.tenant,
                                            .to = end.schema_wanted,
                                            .queue = end.migrate_in,
                                            .priority = end.lane.priority,
                                            .found_by = end.claim},
                                           now));
}

// Whether it tells of a step of the tenant's, or of its processes which that has ended, and not of the job, its program or the machine.
bool is_failure_of_tenant(const ClaimEnd& end) {
  if (is_reclaim(end)) return true;
  const ErrorCode code = run_of(end).failure.code;
  constexpr std::array kOfOthers{
      ErrorCode::no_tenant,          ErrorCode::tenant_does_not_exist,
      ErrorCode::tenant_not_ready,   ErrorCode::tenant_deleted,
      ErrorCode::stale_generation,   ErrorCode::tenant_busy,
      ErrorCode::pending_migration,  ErrorCode::handle_budget_exhausted,
      ErrorCode::bad_payload,        ErrorCode::newer_envelope,
      ErrorCode::envelope_mismatch,  ErrorCode::bad_seal,
      ErrorCode::unknown_kind,       ErrorCode::store_busy,
      ErrorCode::schema_mismatch,    ErrorCode::interrupted,
      ErrorCode::protocol_violation,
  };
  return !queue::is_trouble(code) && std::ranges::find(kOfOthers, code) == kOfOthers.end();
}

// A job that migrates its tenant has ended for good. What an operator has ended is no failure of the tenant's.
void note_migration(queue::StoreWriter& writer, const ClaimEnd& end, JobState state, WallTime now) {
  queue::MigrationRecord migration{.tenant = end.lane.tenant, .ended = now, .took = *end.migrated_for};
  if (const auto* const done = std::get_if<EndSucceeded>(&end.how); done != nullptr && done->returned) {
    const queue::MigratedFromTo told = queue::read_migrate_result(done->returned->text);
    migration.from = told.from;
    migration.to = told.to;
  } else if (state == JobState::dead && is_failure_of_tenant(end)) {
    migration.error = run_of(end).failure.error;
  } else {
    return;
  }
  static_cast<void>(writer.note_migration(migration));
}

// A success was reported by its process, which has looked at the first outbox of each tenant.
bool has_ended_badly(const Result<JobState>& state) {
  return state && queue::is_final(*state) && *state != JobState::succeeded;
}

}  // namespace

bool is_reclaim(const ClaimEnd& end) { return std::holds_alternative<EndReclaim>(end.how); }

// Also while the dispatcher stops: what has ended shall be stored.
std::optional<EndsPart::Ask> EndsPart::ask(DispatcherState& state) {
  if (state.stage == Stage::opening) return std::nullopt;
  Ask ends = state.endings.take(kRoundRowsMax);
  if (ends.empty()) return std::nullopt;
  for (ClaimEnd& end : ends) decide_row(end, state.refusals, state.now.steady);
  return ends;
}

EndsPart::Answer EndsPart::carry_out(queue::StoreWriter& writer, const Ask& ends, WallTime now) {
  Answer states;
  states.reserve(ends.size());
  for (const ClaimEnd& end : ends) {
    states.push_back(carried_out(writer, end, now));
    if (end.leaves_outbox || (has_ended_badly(states.back()) && !end.has_told_outbox))
      writer.mark_outbox_of(end.lane.tenant, now);
    if (states.back() && *states.back() == JobState::dead) note_refusal(writer, end, now);
    if (states.back() && end.schema_wanted > 0) note_behind(writer, end, now);
    if (states.back() && end.migrated_for) note_migration(writer, end, *states.back(), now);
    if (end.capture && end.capture->taken) writer.note_capsule(end.claim.seq, *end.capture->taken, now);
  }
  return states;
}

void EndsPart::absorb(DispatcherState& state, const Ask& ends, Answer& states) {
  for (const ClaimEnd& end : ends)
    if (end.capture) state.captures.ended(*end.capture, state.lanes.kind_name(end.lane.kind), state.actions);
  for (std::size_t index = 0; index < ends.size(); ++index) {
    if (states[index] && ends[index].schema_wanted > 0) {
      state.lanes.is_behind(ends[index].lane.tenant, ends[index].schema_wanted);
      state.schemas.noted(ends[index].lane.tenant, state.now.wall);
    }
    // What it has changed, or has been enqueued for it, is read at once.
    if (states[index] && (ends[index].migrated_for || !ends[index].migrate_in.empty())) state.looks.soon();
    if (states[index] && *states[index] == JobState::discarded && has_expired(ends[index]))
      state.expired_jobs.expired(1, state.lanes.kind_name(ends[index].lane.kind));
    if (!states[index] || *states[index] != JobState::dead) continue;
    state.dead_jobs.died(run_of(ends[index]).failure, state.lanes.kind_name(ends[index].lane.kind));
    if (row_of(ends[index]) == AuditRow::counted) state.refusals.counted(state.now.steady);
  }
  if (state.fan_outs.count_starts())
    for (const ClaimEnd& end : ends) {
      const auto* const release = std::get_if<EndRelease>(&end.how);
      state.fan_outs.ended(end.claim.seq, release != nullptr && !release->started);
    }
  state.endings.stored(ends, states, state.now.steady);
  state.schedules.ends_stored();
}

void EndsPart::undo(DispatcherState& state, const Ask& ends) { state.endings.not_stored(ends); }

}  // namespace tenure::daemon
