#include "attempt_outcome.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/retry_rule.hpp>

#include <fmt/format.h>

namespace tenure::daemon {

namespace {

bool is_about_tenant(ErrorCode code) {
  return code == ErrorCode::tenant_busy || code == ErrorCode::tenant_not_ready ||
         code == ErrorCode::pending_migration;
}

ClaimEnd end_of_failure(const OutstandingJob& job, const AttemptEnd& end, WallTime now, Random& random) {
  // Another program version may know it: the job waits for that one.
  if (end.failure.code == ErrorCode::newer_envelope) return {job.claim, EndBlock{}};
  const int failures = job.failures + 1;
  const auto after = queue::after_failure(end.failure.code, failures, job.attempts_max);
  switch (after.verdict) {
    case queue::AfterFailure::Verdict::retry:
      return {job.claim, EndRetry{now + queue::retry_wait(failures, random), end.failure}};
    case queue::AfterFailure::Verdict::dead:
      return {job.claim, EndFinal{queue::JobState::dead, after.reason, end.failure}};
    case queue::AfterFailure::Verdict::release:
      break;
  }
  return {job.claim, EndRelease{true, end.failure}};
}

ClaimEnd end_of(const OutstandingJob& job, const AttemptEnd& end, WallTime now, Random& random) {
  switch (end.result) {
    case RunResult::succeeded:
      return {job.claim, EndSucceeded{}};
    case RunResult::not_started:
      return {job.claim, EndRelease{}};
    case RunResult::failed:
      break;
  }
  return end_of_failure(job, end, now, random);
}

queue::CrashCharge charge_of(const OutstandingJob& job, ProcessEnd end) {
  if (job.crashes + 1 < limits::kCrashesMax) return queue::CrashCharge::counted;
  return end == ProcessEnd::alone ? queue::CrashCharge::poison : queue::CrashCharge::none;
}

}  // namespace

AttemptOutcome outcome_of(const OutstandingJob& job, const AttemptEnd& end, WallTime now, Random& random) {
  AttemptOutcome outcome{{end_of(job, end, now, random), job.lane, job.place}};
  const auto* const release = std::get_if<EndRelease>(&outcome.pending.end.how);
  if (release == nullptr || !release->started) return outcome;
  // All untenanted jobs share one number: what one of them meets says little of the others.
  const bool is_of_tenant = job.lane.tenant != queue::kUntenanted && is_about_tenant(end.failure.code);
  outcome.pause = is_of_tenant ? AttemptOutcome::Pause::growing : AttemptOutcome::Pause::flat;
  return outcome;
}

PendingEnd end_with_process(const OutstandingJob& job, bool was_performing, ProcessEnd end,
                            const std::string& cause) {
  PendingEnd pending{{job.claim, EndRelease{}}, job.lane, job.place};
  if (!was_performing) return pending;
  const std::string text = fmt::format("The worker process ended during the run: {}.", cause);
  if (end == ProcessEnd::by_stop) {
    pending.end.how = EndRelease{true, {ErrorCode::interrupted, text}};
  } else {
    pending.end.how = EndReclaim{charge_of(job, end), {ErrorCode::worker_crashed, text}};
  }
  return pending;
}

PendingEnd give_back(const queue::ClaimedJob& job) {
  return {{{job.seq, job.token}, EndRelease{}}, job.lane, job.place};
}

}  // namespace tenure::daemon
