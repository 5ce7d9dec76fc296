#include "job_lines.hpp"

#include <tenure/queue/retry_rule.hpp>

#include <string>
#include <string_view>

namespace tenure::daemon {
namespace {

using Verdict = queue::AfterFailure::Verdict;

// What the dispatcher makes of it, by the same rule.
Verdict verdict_on(const queue::AssignedJob& job, const queue::AttemptEnd& end) {
  return queue::after_failure(end.failure.code,
                              {.failures = queue::failures_without_rule(job.history, job.attempt - 1) + 1,
                               .attempts_max = job.attempts_max,
                               .releases = job.releases})
      .verdict;
}

std::string_view outcome_text(queue::Decided decided) {
  switch (decided) {
    case queue::Decided::retry:
      return "the attempt failed, and the job is tried again, as its kind says";
    case queue::Decided::discard:
      return "the job is discarded, as its kind or its handler says";
    case queue::Decided::dead:
      return "the attempt failed, and the job is dead, as its kind or its handler says";
    case queue::Decided::put_off:
      break;
  }
  return "the handler has put the job off, at no cost";
}

std::string_view outcome_text(Verdict verdict, ErrorCode code) {
  if (code == ErrorCode::newer_envelope)
    return "the attempt costs nothing, and the job waits for a program that reads its envelope";
  switch (verdict) {
    case Verdict::release:
      return "the attempt costs nothing and comes again";
    case Verdict::retry:
      return "the attempt failed, and the job is tried again";
    case Verdict::dead:
      break;
  }
  return "the attempt failed, and the job is dead";
}

}  // namespace

void FailureLines::write(const queue::AssignedJob& job, const queue::AttemptEnd& end,
                         std::optional<queue::StopReason> stop) {
  const JobLines lines(job);
  const std::string error = std::string{name_of(end.failure.code)} + ": " + end.failure.error;
  const log::Fields fields{
      .kind = job.kind, .attempt = job.attempt, .duration_ms = end.run_time.count() / 1000, .error = error};
  if (stop == queue::StopReason::operator_asked)
    return log::write(log::Level::info, "job.cancelled",
                      "an operator has cancelled the job, and its run has ended", fields);
  if (end.decision) {
    const bool is_put_off = end.decision->what == queue::Decided::put_off;
    return log::write(is_put_off ? log::Level::debug : log::Level::info,
                      is_put_off ? "job.put_off" : "job.failed", outcome_text(end.decision->what), fields);
  }
  const Verdict verdict = verdict_on(job, end);
  const bool is_free = verdict == Verdict::release;
  const auto left_out = is_free ? released_.pass(clock_.steady()) : 0;
  if (!left_out) return;
  log::write(is_free ? log::Level::warning : log::Level::info, is_free ? "job.released" : "job.failed",
             std::string{outcome_text(verdict, end.failure.code)} + left_out_text(*left_out), fields);
}

}  // namespace tenure::daemon
