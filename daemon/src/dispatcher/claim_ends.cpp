#include "claim_ends.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/retry_rule.hpp>
#include <tenure/replay/file_name.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace tenure::daemon {

namespace {

using How = decltype(ClaimEnd::how);

TenantPause pause_for(ErrorCode code) {
  if (queue::is_trouble(code) || code == ErrorCode::tenant_busy) return TenantPause::trouble;
  if (code == ErrorCode::tenant_not_ready || code == ErrorCode::pending_migration)
    return TenantPause::growing;
  return TenantPause::flat;
}

// As a filter, with which an operator finds it again.
std::string refused(const OutstandingJob& job, ErrorCode code) {
  if (!queue::is_border_refusal(code)) return {};
  const std::string_view tenant = job.tenant.text();
  return fmt::format("id={} tenant={}", job.id.text(), tenant.empty() ? "none" : tenant);
}

// As its worker program has decided. What is further off than any retry by the rule would be drawn in again.
How end_as_decided(const OutstandingJob& job, const queue::RunDecision& decision,
                   const queue::AttemptFailure& failure, WallTime now) {
  switch (decision.what) {
    case queue::Decided::retry:
      break;
    case queue::Decided::discard:
      return EndFinal{queue::JobState::discarded, queue::JobReason::by_rule, failure};
    case queue::Decided::dead:
      return EndFinal{queue::JobState::dead, decision.reason, failure, refused(job, failure.code)};
    case queue::Decided::put_off:
      return EndPutOff{now + decision.wait, failure};
  }
  const bool is_usual = decision.wait <= queue::retry_wait_max(job.failures + 1);
  return EndRetry{now + decision.wait, failure,
                  is_usual ? queue::JobReason::retry_wait : queue::JobReason::put_off, decision.rule};
}

EndFinal expiry() { return {queue::JobState::discarded, queue::JobReason::expired, {}}; }

How end_of_failure(const OutstandingJob& job, const queue::AttemptFailure& failure, WallTime now,
                   Random& random) {
  // Another program version may know it: the job waits for that one.
  if (failure.code == ErrorCode::newer_envelope) return EndBlock{};
  const int failures = job.failures_without_rule + 1;
  const auto after = queue::after_failure(
      failure.code, {.failures = failures, .attempts_max = job.attempts_max, .releases = job.releases});
  switch (after.verdict) {
    case queue::AfterFailure::Verdict::retry:
      return EndRetry{now + queue::retry_wait(failures, random), failure};
    case queue::AfterFailure::Verdict::dead:
      return EndFinal{queue::JobState::dead, after.reason, failure, refused(job, failure.code)};
    case queue::AfterFailure::Verdict::release:
      break;
  }
  return EndRelease{true, failure};
}

How how_it_ends(const OutstandingJob& job, const AttemptEnd& attempt, const queue::RunPlace& place,
                WallTime now, Random& random) {
  switch (attempt.result) {
    case RunResult::succeeded:
      return EndSucceeded{attempt.returned};
    case RunResult::not_started:
      return EndRelease{};
    case RunResult::expired:
      return expiry();
    case RunResult::failed:
      break;
  }
  queue::AttemptFailure failure = attempt.failure;
  failure.place = place;
  if (attempt.decision) return end_as_decided(job, *attempt.decision, failure, now);
  return end_of_failure(job, failure, now, random);
}

queue::CrashCharge charge_of(const OutstandingJob& job, ProcessEnd end) {
  if (job.crashes + 1 < limits::kCrashesMax) return queue::CrashCharge::counted;
  return end == ProcessEnd::in_company ? queue::CrashCharge::none : queue::CrashCharge::poison;
}

// In words, for the attempt's row.
std::string crash_text(ProcessEnd end, const std::string& cause) {
  if (end == ProcessEnd::named) return fmt::format("The job crashed: {}.", cause);
  return fmt::format("The worker process ended during the run: {}.", cause);
}

// Of a run that costs nothing.
std::string interruption_text(ProcessEnd end, const std::string& cause) {
  if (end == ProcessEnd::by_limit)
    return "The worker process was ended for the time limit of another job in it.";
  if (end == ProcessEnd::beside_named)
    return fmt::format("The worker process ended by the crash of another job in it: {}.", cause);
  return fmt::format("The worker process ended during the run: {}.", cause);
}

bool is_charged(ProcessEnd end) {
  switch (end) {
    case ProcessEnd::by_stop:
    case ProcessEnd::by_trouble:
    case ProcessEnd::by_limit:
    case ProcessEnd::beside_named:
      return false;
    case ProcessEnd::named:
    case ProcessEnd::alone:
    case ProcessEnd::in_company:
      break;
  }
  return true;
}

ClaimEnd end(const OutstandingJob& job, How how) {
  ClaimEnd ended{job.claim, std::move(how), job.lane, job.place, std::nullopt};
  ended.start_before = job.start_before;
  if (job.capture) ended.capture = CapturedRun{*job.capture, job.id, std::string{job.tenant.text()}};
  return ended;
}

}  // namespace

// A process may say anything: what was not asked for is not believed.
void note_capsule(ClaimEnd& end, const std::optional<queue::TakenCapsule>& capsule) {
  if (end.capture && capsule && capsule->request == end.capture->wish.request) end.capture->taken = capsule;
}

void note_capsule_lost(ClaimEnd& end) {
  if (!end.capture) return;
  const bool is_failure = std::holds_alternative<EndRetry>(end.how) ||
                          std::holds_alternative<EndFinal>(end.how) ||
                          std::holds_alternative<EndReclaim>(end.how);
  if (!is_failure) return;
  end.capture->taken =
      queue::TakenCapsule{end.capture->wish.request,
                          {},
                          Failure{ErrorCode::worker_crashed,
                                  fmt::format("The worker process ended with the run and told of no capsule; "
                                              "where it had written one, it is {} in the folder of capsules.",
                                              replay::capsule_name(end.capture->job, end.claim.token))}};
}

EndOfAttempt end_of_attempt(const OutstandingJob& job, const AttemptEnd& attempt,
                            const queue::RunPlace& place, WallTime now, Random& random) {
  EndOfAttempt decided{end(job, how_it_ends(job, attempt, place, now, random))};
  const auto* const release = std::get_if<EndRelease>(&decided.end.how);
  if (release == nullptr || !release->started) return decided;
  decided.says_nothing = job.cancelled;
  if (decided.says_nothing) return decided;
  // All untenanted jobs share one number: what one of them meets says little of the others.
  const bool is_of_tenant = job.lane.tenant != queue::kUntenanted;
  decided.pause = is_of_tenant ? pause_for(attempt.failure.code) : TenantPause::flat;
  return decided;
}

ClaimEnd end_with_process(const OutstandingJob& job, ProcessEnd how, const LastRun& run) {
  if (!is_charged(how))
    return end(job, EndRelease{true, {ErrorCode::interrupted, interruption_text(how, run.cause), run.place}});
  queue::AttemptFailure failure{ErrorCode::worker_crashed, crash_text(how, run.cause), run.place};
  ClaimEnd ended = end(job, EndReclaim{charge_of(job, how), std::move(failure)});
  if (how != ProcessEnd::named) ended.alone = run.alone;
  return ended;
}

// Why one failed is known to nobody any more, so it costs nothing.
ClaimEnd end_untold(const OutstandingJob& job, const AttemptEnd& untold, const LastRun& run) {
  if (untold.result == RunResult::succeeded) return end(job, EndSucceeded{});
  if (untold.result == RunResult::expired) return end(job, expiry());
  return end(job,
             EndRelease{true,
                        {ErrorCode::interrupted,
                         fmt::format("The run had ended, and its worker process before it could say how: {}.",
                                     run.cause),
                         run.place}});
}

// Who was charged has had its run.
Alone alone_again(const Alone& before, const ClaimEnd& end) {
  Alone again = before;
  again.one_at_a_time = before.one_at_a_time || (end.alone && end.alone->one_at_a_time);
  again.vain_tries = std::holds_alternative<EndRelease>(end.how) ? before.vain_tries + 1 : 0;
  return again;
}

ClaimEnd end_at_time_limit(const OutstandingJob& job, const queue::RunPlace& place, WallTime now,
                           Random& random) {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(job.time_limit);
  const queue::AttemptFailure failure{
      ErrorCode::time_limit,
      fmt::format("The run was ended at its time limit of {} ms; it had not obeyed its stop token.",
                  limit.count()),
      place};
  return end(job, end_of_failure(job, failure, now, random));
}

EndReclaim end_with_daemon(const queue::FormerClaim& claim) {
  if (!claim.was_alone)
    return {queue::CrashCharge::none, {ErrorCode::interrupted, "The daemon ended while it held this job."}};
  const auto charge =
      claim.crashes + 1 < limits::kCrashesMax ? queue::CrashCharge::counted : queue::CrashCharge::poison;
  return {charge, {ErrorCode::worker_crashed, "The daemon ended while this job performed alone."}};
}

bool has_expired(const ClaimEnd& end) {
  const auto* const last = std::get_if<EndFinal>(&end.how);
  return last != nullptr && last->reason == queue::JobReason::expired;
}

ClaimEnd give_back_unstarted(const OutstandingJob& job) { return end(job, EndRelease{}); }

}  // namespace tenure::daemon
