#include <tenure/base/error.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/job_result.hpp>
#include <tenure/queue/run_decision.hpp>
#include <tenure/queue/start_before.hpp>
#include <tenure/tenancy/migrations.hpp>

#include <algorithm>
#include <array>

namespace tenure {
namespace {

[[noreturn]] void refuse(std::string_view field, std::string_view value, std::string_view rule) {
  raise(ErrorCode::bad_options, std::string{field} + " \"" + escaped(value) + "\": " + std::string{rule}, {},
        std::string{field});
}

// "-90 min": in the largest unit of which it is a whole number, which is most often the caller's own.
std::string duration_text(std::chrono::microseconds duration) {
  struct Unit {
    std::string_view name;
    std::int64_t length;
  };
  constexpr std::array kUnits{Unit{"h", 3'600'000'000}, Unit{"min", 60'000'000}, Unit{"s", 1'000'000},
                              Unit{"ms", 1'000}, Unit{"us", 1}};
  const std::int64_t count = duration.count();
  const auto* const unit =
      std::ranges::find_if(kUnits, [&](const Unit& each) { return count % each.length == 0; });
  return std::to_string(count / unit->length) + ' ' + std::string{unit->name};
}

void check_between(std::string_view field, int value, int least, int most) {
  if (value < least || value > most)
    refuse(field, std::to_string(value),
           std::to_string(least) + " to " + std::to_string(most) + " are allowed");
}

void check_between(std::string_view field, std::chrono::milliseconds value, std::chrono::milliseconds least,
                   std::string_view rule) {
  if (value < least || value > queue::kDecidedWaitMax) refuse(field, duration_text(value), rule);
}

void check_backoff(const Backoff& backoff) {
  using std::chrono::milliseconds;
  check_between("backoff.first", backoff.first, milliseconds{0}, "1 ms to 3650 days are allowed, or 0");
  check_between("backoff.max", backoff.max, backoff.first, "backoff.first to 3650 days are allowed");
  if (!(backoff.factor >= 1.0 && backoff.factor <= 100.0))
    refuse("backoff.factor", std::to_string(backoff.factor), "1 to 100 are allowed");
}

void check_errors(const ErrorRules& errors) {
  if (errors.in_order().size() > queue::kRulesMax)
    refuse("errors", std::to_string(errors.in_order().size()), "a kind has at most 16 rules");
  for (const ErrorRule& rule : errors.in_order())
    if (rule.end == ErrorRule::End::retry) check_between(rule.name, rule.retries, 1, limits::kAttemptsMax);
}

void check_schema(const SchemaRange& range) {
  constexpr int kMost = static_cast<int>(kMigrationsMax);
  check_between("schema.min", range.min, 0, kMost);
  if (range.max != 0) check_between("schema.max", range.max, range.min, kMost);
}

}  // namespace

void check_kind(std::string_view kind) { value_or_raise(check_name(NameOf::kind, kind)); }

void check_options(const JobOptions& options) {
  value_or_raise(check_name(NameOf::queue, options.queue));
  check_between("priority", options.priority, limits::kPriorityHighest, limits::kPriorityLowest);
  check_between("attempts_max", options.attempts_max, 1, limits::kAttemptsMax);
  if (options.time_limit.count() != 0 &&
      (options.time_limit < limits::kTimeLimitMin || options.time_limit > limits::kTimeLimitMax))
    refuse("time_limit", duration_text(options.time_limit), "100 ms to 30 days are allowed, or 0");
  if (options.start_within < std::chrono::milliseconds{0} || options.start_within > queue::kStartWithinMax)
    refuse("start_within", duration_text(options.start_within), "1 ms to 3650 days are allowed, or 0");
  check_errors(options.errors);
  check_backoff(options.backoff);
  if (options.retry_for < std::chrono::milliseconds{0} || options.retry_for > queue::kDecidedWaitMax)
    refuse("retry_for", duration_text(options.retry_for), "1 ms to 3650 days are allowed, or 0");
  if (options.keep_result < queue::kKeepResultMin || options.keep_result > queue::kKeepResultMax)
    refuse("keep_result", duration_text(options.keep_result), "1 min to 365 days are allowed");
  if (options.schema) check_schema(*options.schema);
}

JobOptions effective_options(const JobOptions& of_kind, const EnqueueOptions& of_call) {
  JobOptions result = of_kind;
  if (of_call.queue) result.queue = *of_call.queue;
  if (of_call.priority) result.priority = *of_call.priority;
  if (of_call.attempts_max) result.attempts_max = *of_call.attempts_max;
  if (of_call.start_within) result.start_within = *of_call.start_within;
  if (of_call.concurrency) result.concurrency = of_call.concurrency;
  if (of_call.unique) result.unique = of_call.unique;
  check_options(result);
  if (of_call.run_in < std::chrono::microseconds{0})
    refuse("run_in", duration_text(of_call.run_in), "a delay cannot be negative");
  if (of_call.run_at && of_call.run_in != std::chrono::microseconds{0})
    refuse("run_at", to_rfc3339(*of_call.run_at), "give run_in or run_at, not both");
  if (of_call.start_before && of_call.start_within)
    refuse("start_before", to_rfc3339(*of_call.start_before), "give start_before or start_within, not both");
  if (of_call.start_before && of_call.run_at && *of_call.start_before <= *of_call.run_at)
    refuse("start_before", to_rfc3339(*of_call.start_before), "it is not later than run_at");
  if (of_call.id && *of_call.id == Uuid{})
    refuse("id", of_call.id->text(),
           "the zero id names no job; make one by uuids_of_process().next(RealClock{}.wall())");
  return result;
}

}  // namespace tenure
