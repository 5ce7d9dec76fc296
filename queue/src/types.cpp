#include <tenure/queue/types.hpp>

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
    std::pair{JobReason::suspect, std::string_view{"suspect"}},
    std::pair{JobReason::limit_key, std::string_view{"limit_key"}},
    std::pair{JobReason::schedule_overlap, std::string_view{"schedule_overlap"}},
    std::pair{JobReason::put_off, std::string_view{"put_off"}},
    std::pair{JobReason::time_exhausted, std::string_view{"time_exhausted"}},
    std::pair{JobReason::generation, std::string_view{"generation"}},
    std::pair{JobReason::kind_unknown, std::string_view{"kind_unknown"}},
    std::pair{JobReason::queue_without_pool, std::string_view{"queue_without_pool"}},
    std::pair{JobReason::pool_without_worker, std::string_view{"pool_without_worker"}},
    std::pair{JobReason::tenant_paused, std::string_view{"tenant_paused"}},
    std::pair{JobReason::tenant_read_only, std::string_view{"tenant_read_only"}},
    std::pair{JobReason::tenant_not_ready, std::string_view{"tenant_not_ready"}},
    std::pair{JobReason::tenant_deleted, std::string_view{"tenant_deleted"}},
    std::pair{JobReason::queue_paused, std::string_view{"queue_paused"}},
    std::pair{JobReason::kind_paused, std::string_view{"kind_paused"}},
    std::pair{JobReason::limit_cap, std::string_view{"limit_cap"}},
    std::pair{JobReason::limit_rate, std::string_view{"limit_rate"}},
    std::pair{JobReason::schema_behind, std::string_view{"schema_behind"}},
    std::pair{JobReason::tenant_without_pool, std::string_view{"tenant_without_pool"}},
    std::pair{JobReason::no_dispatcher, std::string_view{"no_dispatcher"}},
    std::pair{JobReason::tenant_busy, std::string_view{"tenant_busy"}},
    std::pair{JobReason::tenant_turn, std::string_view{"tenant_turn"}},
    std::pair{JobReason::row_refused, std::string_view{"row_refused"}},
    std::pair{JobReason::slots_full, std::string_view{"slots_full"}},
    std::pair{JobReason::slots_reserved, std::string_view{"slots_reserved"}},
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

}  // namespace tenure::queue
