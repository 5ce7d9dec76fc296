#include <tenure/base/error.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/options.hpp>

namespace tenure {
namespace {

[[noreturn]] void refuse(std::string_view field, std::string_view value, std::string_view rule) {
  raise(ErrorCode::bad_options, std::string{field} + " \"" + escaped(value) + "\": " + std::string{rule}, {},
        std::string{field});
}

void check_between(std::string_view field, int value, int least, int most) {
  if (value < least || value > most)
    refuse(field, std::to_string(value),
           std::to_string(least) + " to " + std::to_string(most) + " are allowed");
}

}  // namespace

void check_kind(std::string_view kind) { value_or_raise(check_name(NameOf::kind, kind)); }

void check_options(const JobOptions& options) {
  value_or_raise(check_name(NameOf::queue, options.queue));
  check_between("priority", options.priority, limits::kPriorityHighest, limits::kPriorityLowest);
  check_between("attempts_max", options.attempts_max, 1, limits::kAttemptsMax);
  if (options.time_limit.count() != 0 &&
      (options.time_limit < limits::kTimeLimitMin || options.time_limit > limits::kTimeLimitMax))
    refuse("time_limit", std::to_string(options.time_limit.count()) + " ms",
           "100 ms to 30 days are allowed, or 0");
}

JobOptions effective_options(const JobOptions& of_kind, const EnqueueOptions& of_call) {
  JobOptions result = of_kind;
  if (of_call.queue) result.queue = *of_call.queue;
  if (of_call.priority) result.priority = *of_call.priority;
  if (of_call.attempts_max) result.attempts_max = *of_call.attempts_max;
  check_options(result);
  if (of_call.run_in < std::chrono::microseconds{0})
    refuse("run_in", std::to_string(of_call.run_in.count()) + " us", "a delay cannot be negative");
  if (of_call.run_at && of_call.run_in != std::chrono::microseconds{0})
    refuse("run_at", to_rfc3339(*of_call.run_at), "give run_in or run_at, not both");
  return result;
}

}  // namespace tenure
