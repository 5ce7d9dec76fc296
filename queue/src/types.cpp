#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/types.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::array kStates{
    std::pair{JobState::scheduled, std::string_view{"scheduled"}},
    std::pair{JobState::ready, std::string_view{"ready"}},
    std::pair{JobState::blocked, std::string_view{"blocked"}},
    std::pair{JobState::succeeded, std::string_view{"succeeded"}},
    std::pair{JobState::dead, std::string_view{"dead"}},
    std::pair{JobState::discarded, std::string_view{"discarded"}},
    std::pair{JobState::cancelled, std::string_view{"cancelled"}},
};

constexpr std::array kReasons{
    std::pair{JobReason::none, std::string_view{"none"}},
    std::pair{JobReason::not_due, std::string_view{"not_due"}},
    std::pair{JobReason::retry_wait, std::string_view{"retry_wait"}},
    std::pair{JobReason::envelope_newer, std::string_view{"envelope_newer"}},
    std::pair{JobReason::attempts_exhausted, std::string_view{"attempts_exhausted"}},
    std::pair{JobReason::permanent_error, std::string_view{"permanent_error"}},
    std::pair{JobReason::poison, std::string_view{"poison"}},
    std::pair{JobReason::expired, std::string_view{"expired"}},
    std::pair{JobReason::by_rule, std::string_view{"by_rule"}},
    std::pair{JobReason::by_operator, std::string_view{"by_operator"}},
};

template <class Rows, class Value>
std::string_view name_in(const Rows& rows, Value value) {
  for (const auto& [each, name] : rows)
    if (each == value) return name;
  return "unknown";
}

template <class Rows>
auto value_in(const Rows& rows, std::string_view name) -> std::optional<decltype(rows.front().first)> {
  for (const auto& [value, each] : rows)
    if (each == name) return value;
  return std::nullopt;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

tl::unexpected<Failure> bad_name(std::string_view what, std::string_view name, const std::string& rule) {
  return fail(ErrorCode::bad_options, "the " + std::string{what} + " name '" + escaped(name) + "' " + rule);
}

Result<void> check_name(std::string_view what, std::string_view name, std::size_t bytes_max) {
  if (name.empty()) return bad_name(what, name, "is empty");
  if (name.size() > bytes_max)
    return bad_name(what, name, "has more than " + std::to_string(bytes_max) + " bytes");
  if (!std::ranges::all_of(name, is_name_character))
    return bad_name(what, name, "may hold only letters, digits, '_', '-', '.' and ':'");
  return {};
}

}  // namespace

std::string_view name_of(JobState state) { return name_in(kStates, state); }
std::optional<JobState> job_state_named(std::string_view name) { return value_in(kStates, name); }

std::string_view name_of(JobReason reason) { return name_in(kReasons, reason); }
std::optional<JobReason> job_reason_named(std::string_view name) { return value_in(kReasons, name); }

std::string_view name_of(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::failed:
      return "failed";
    case AttemptOutcome::released:
      return "released";
    case AttemptOutcome::interrupted:
      return "interrupted";
    case AttemptOutcome::lost:
      return "lost";
  }
  return "unknown";
}

Result<void> check_queue_name(std::string_view name) {
  return check_name("queue", name, limits::kQueueNameMax);
}
Result<void> check_kind_name(std::string_view name) { return check_name("kind", name, limits::kKindNameMax); }

}  // namespace tenure::queue
