#include <tenure/queue/run_decision.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

bool is_reason_of_death(JobReason reason) {
  return reason == JobReason::permanent_error || reason == JobReason::attempts_exhausted ||
         reason == JobReason::by_rule || reason == JobReason::time_exhausted;
}

}  // namespace

bool is_valid(const RunDecision& decision) {
  if (decision.wait.count() < 0 || decision.wait > kDecidedWaitMax || decision.rule.size() > kRuleNameMax)
    return false;
  switch (decision.what) {
    case Decided::retry:
    case Decided::discard:
    case Decided::put_off:
      return decision.reason == JobReason::none;
    case Decided::dead:
      return is_reason_of_death(decision.reason);
  }
  return false;
}

int failures_by(const FailureHistory& history, std::string_view rule) {
  const auto found = std::ranges::find(history.by_rule, rule, &RuleCount::rule);
  return found == history.by_rule.end() ? 0 : found->failures;
}

int failures_without_rule(const FailureHistory& history, int failures) {
  for (const RuleCount& each : history.by_rule) failures -= each.failures;
  return std::max(failures, 0);
}

}  // namespace tenure::queue
