#include "../dispatcher/state.hpp"

#include <tenure/base/operator_identity.hpp>
#include <tenure/base/text.hpp>
#include <tenure/daemon/rounds/ends.hpp>
#include <tenure/queue/audit.hpp>

#include <climits>
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <unistd.h>
#include <variant>

namespace tenure::daemon {

namespace {

using queue::JobState;

constexpr std::string_view kVerbOfRefusal = "job refused";
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
  Result<JobState> operator()(const EndSucceeded&) const {
    const Result<void> finished = writer.finish_succeeded(claim, now);
    if (finished && is_alone)
      writer.acquit(claim.seq);  // what is another's claim says nothing of the suspicion
    return state_after(finished, JobState::succeeded);
  }
  Result<JobState> operator()(const EndRetry& end) const {
    return state_after(writer.retry(claim, end.due, end.failure, now), JobState::scheduled);
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
  RunOfEnd operator()(const EndFinal& end) const { return {true, end.failure}; }
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

// Without a look into the system's list of users: that can take its time, and the writers' lock is held.
OperatorIdentity this_daemon() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = 0;
  return {
      .uid = ::getuid(), .login = {}, .login_uid = {}, .sudo_uid = {}, .terminal = {}, .host = host.data()};
}

// In the commit by which the job is dead, as by whom the daemon is.
void note_refusal(queue::StoreWriter& writer, const ClaimEnd& end, WallTime now) {
  const auto* last = std::get_if<EndFinal>(&end.how);
  if (last == nullptr || last->refused.empty()) return;
  writer.append_audit({.who = this_daemon(),
                       .verb = std::string{kVerbOfRefusal},
                       .subject = last->refused,
                       .count = 1,
                       .reason = fmt::format("{}: {}", name_of(last->failure.code),
                                             escaped(last->failure.error, kReasonShown))},
                      now);
}

}  // namespace

bool is_reclaim(const ClaimEnd& end) { return std::holds_alternative<EndReclaim>(end.how); }

// Also while the dispatcher stops: what has ended shall be stored.
std::optional<EndsPart::Ask> EndsPart::ask(DispatcherState& state) {
  if (state.stage == Stage::opening) return std::nullopt;
  Ask ends = state.endings.take(kRoundRowsMax);
  if (ends.empty()) return std::nullopt;
  return ends;
}

EndsPart::Answer EndsPart::carry_out(queue::StoreWriter& writer, const Ask& ends, WallTime now) {
  Answer states;
  states.reserve(ends.size());
  for (const ClaimEnd& end : ends) {
    states.push_back(carried_out(writer, end, now));
    if (end.leaves_outbox) writer.mark_outbox_of(end.lane.tenant, now);
    if (states.back() && *states.back() == JobState::dead) note_refusal(writer, end, now);
  }
  return states;
}

void EndsPart::absorb(DispatcherState& state, const Ask& ends, Answer& states) {
  for (std::size_t index = 0; index < ends.size(); ++index)
    if (states[index] && *states[index] == JobState::dead)
      state.dead_jobs.died(run_of(ends[index]).failure, state.lanes.kind_name(ends[index].lane.kind));
  state.endings.stored(ends, states, state.now.steady);
}

void EndsPart::undo(DispatcherState& state, const Ask& ends) { state.endings.not_stored(ends); }

}  // namespace tenure::daemon
