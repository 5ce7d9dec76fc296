#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/options.hpp>

#include <algorithm>

namespace tenure {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_word(std::string_view text, std::string_view also) {
  return !text.empty() && is_lower_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_lower_or_digit(c) || also.find(c) != std::string_view::npos; });
}

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

void check_kind(std::string_view kind) {
  if (kind.size() > limits::kKindNameMax || !is_word(kind, "._") || kind.back() == '.' ||
      kind.find("..") != std::string_view::npos)
    refuse("kind", kind, "lower-case words joined by dots, such as billing.send_invoice, at most 128 bytes");
}

void check_options(const JobOptions& options) {
  if (options.queue.size() > limits::kQueueNameMax || !is_word(options.queue, "_-"))
    refuse("queue", options.queue, "lower-case letters, digits, _ and -, at most 64 bytes");
  check_between("priority", options.priority, limits::kPriorityHighest, limits::kPriorityLowest);
  check_between("max_attempts", options.max_attempts, 1, limits::kAttemptsMax);
}

JobOptions effective_options(const JobOptions& of_kind, const EnqueueOptions& of_call) {
  JobOptions result = of_kind;
  if (of_call.queue) result.queue = *of_call.queue;
  if (of_call.priority) result.priority = *of_call.priority;
  if (of_call.max_attempts) result.max_attempts = *of_call.max_attempts;
  check_options(result);
  if (of_call.run_in < std::chrono::microseconds{0})
    refuse("run_in", std::to_string(of_call.run_in.count()) + " us", "a delay cannot be negative");
  if (of_call.run_at && of_call.run_in != std::chrono::microseconds{0})
    refuse("run_at", to_rfc3339(*of_call.run_at), "give run_in or run_at, not both");
  return result;
}

}  // namespace tenure
