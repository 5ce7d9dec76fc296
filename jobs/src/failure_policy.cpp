#include "failure_policy.hpp"

#include <tenure/base/random.hpp>
#include <tenure/queue/retry_rule.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace tenure::detail {
namespace {

using queue::Decided;
using queue::JobReason;
using queue::RunDecision;
using std::chrono::microseconds;

microseconds bounded(microseconds wait) {
  return std::clamp(wait, microseconds{0}, microseconds{queue::kDecidedWaitMax});
}

// Said by the handler itself.
struct Said {
  std::optional<RunDecision> decision;
  std::optional<microseconds> retry_in;
};

Said said_by(const std::exception_ptr& thrown, WallTime now) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Discard&) {
    return {RunDecision{.what = Decided::discard, .rule = {}}, {}};
  } catch (const PermanentFailure&) {
    return {RunDecision{.what = Decided::dead, .reason = JobReason::permanent_error, .rule = {}}, {}};
  } catch (const Snooze& snooze) {
    return {RunDecision{.what = Decided::put_off, .wait = bounded(snooze.wait(now)), .rule = {}}, {}};
  } catch (const RetryIn& retry) {
    return {{}, bounded(retry.wait())};
  } catch (...) {  // an error, of which rules may say something
    return {};
  }
}

// What the world, or the border between tenants, has done is no error of the handler's, whatever it is called; nor that it took too
// long, whether it obeys or is ended.
bool may_rules_take(const queue::AttemptFailure& failure, const queue::AssignedJob& job) {
  if (queue::is_border_refusal(failure.code) || failure.code == ErrorCode::time_limit) return false;
  const auto verdict = queue::after_failure(
      failure.code, {.failures = 1, .attempts_max = job.attempts_max, .releases = job.releases});
  return verdict.verdict != queue::AfterFailure::Verdict::release;
}

// A sequence of its own for each failure of each job, and the same wherever it is asked for.
Random chance_of(const queue::AssignedJob& job) {
  std::uint64_t seed = static_cast<std::uint64_t>(job.attempt);
  for (const std::uint8_t byte : job.id.uuid.bytes()) seed = (seed ^ byte) * 0x100'0000'01b3;
  return Random{seed};
}

microseconds wait_behind(const Backoff& backoff, int failures, Random& random) {
  if (backoff.first.count() == 0) return queue::retry_wait(failures, random);
  const double most = static_cast<double>(microseconds{backoff.max}.count());
  const double least = static_cast<double>(microseconds{backoff.first}.count()) *
                       std::pow(backoff.factor, static_cast<double>(failures - 1));
  const auto base = static_cast<std::int64_t>(std::min(least, most));
  return microseconds{base +
                      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(base) / 2 + 1))};
}

class Decision {
 public:
  Decision(const FailurePolicy& policy, const queue::AssignedJob& job, WallTime now)
      : policy_(policy), job_(job), now_(now) {}

  RunDecision by(const ErrorRule& rule) const {
    switch (rule.end) {
      case ErrorRule::End::discard:
        return {.what = Decided::discard, .rule = {}};
      case ErrorRule::End::dead:
        return dead(JobReason::by_rule);
      case ErrorRule::End::retry:
        break;
    }
    const int failures = queue::failures_by(job_.history, rule.name) + 1;
    return failures > rule.retries ? dead(JobReason::attempts_exhausted) : retry(rule.name, failures, {});
  }
  RunDecision without_rule(std::optional<microseconds> wait) const {
    const int failures = queue::failures_without_rule(job_.history, job_.attempt - 1) + 1;
    return failures >= job_.attempts_max ? dead(JobReason::attempts_exhausted) : retry({}, failures, wait);
  }

 private:
  static RunDecision dead(JobReason reason) { return {.what = Decided::dead, .reason = reason, .rule = {}}; }
  RunDecision retry(std::string_view rule, int failures, std::optional<microseconds> asked) const {
    if (job_.attempts_max == 1) return dead(JobReason::attempts_exhausted);
    Random random = chance_of(job_);
    const microseconds wait = bounded(asked ? *asked : wait_behind(policy_.backoff, failures, random));
    const WallTime first = job_.history.first.value_or(now_);
    if (policy_.retry_for.count() > 0 && now_ + wait > first + policy_.retry_for)
      return dead(JobReason::time_exhausted);
    return {.what = Decided::retry, .wait = wait, .rule = std::string{rule}};
  }

  const FailurePolicy& policy_;
  const queue::AssignedJob& job_;
  WallTime now_;
};

}  // namespace

std::optional<RunDecision> decision_on(const std::exception_ptr& thrown, const queue::AttemptFailure& failure,
                                       const FailurePolicy& policy, const queue::AssignedJob& job,
                                       WallTime now) {
  const Decision decision(policy, job, now);
  Said said = said_by(thrown, now);
  if (said.decision) return std::move(said.decision);
  if (!may_rules_take(failure, job)) return std::nullopt;
  if (said.retry_in) return decision.without_rule(said.retry_in);
  for (const ErrorRule& rule : policy.errors.in_order())
    if (rule.takes(thrown)) return decision.by(rule);
  const bool says_nothing = policy.backoff.first.count() == 0 && policy.retry_for.count() == 0;
  if (says_nothing || permanence_of(failure.code) == Permanence::permanent) return std::nullopt;
  return decision.without_rule({});
}

}  // namespace tenure::detail
