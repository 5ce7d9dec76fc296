#include "stored_values.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>

#include <algorithm>
#include <limits>

namespace tenure::queue {
namespace {

constexpr std::int64_t kIntMax = std::numeric_limits<int>::max();

bool is_within(std::int64_t value, std::int64_t least, std::int64_t greatest) {
  return value >= least && value <= greatest;
}

// `fallback` where no enumerator from `least` to `greatest` has that number.
template <class Enum>
Enum enum_of(std::int64_t value, Enum least, Enum greatest, Enum fallback) {
  return is_within(value, static_cast<std::int64_t>(least), static_cast<std::int64_t>(greatest))
             ? static_cast<Enum>(value)
             : fallback;
}

}  // namespace

int clamped(std::int64_t value) {
  return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(), kIntMax));
}

JobState job_state_of(std::int64_t value) {
  return enum_of(value, JobState::scheduled, JobState::cancelled, kUnknownState);
}

JobReason job_reason_of(std::int64_t value) {
  return enum_of(value, JobReason::none, JobReason::generation, kUnknownReason);
}

AttemptOutcome outcome_of(std::int64_t value) {
  return enum_of(value, AttemptOutcome::failed, AttemptOutcome::lost, kUnknownOutcome);
}

ErrorCode error_code_of(std::int64_t value) {
  return is_within(value, 0, std::numeric_limits<std::uint16_t>::max()) ? static_cast<ErrorCode>(value)
                                                                        : ErrorCode::internal;
}

TenantState tenant_state_of(std::int64_t value) {
  return enum_of(value, TenantState::provisioning, TenantState::deleted, TenantState::failed);
}

TenantState tenant_state_of(std::int64_t value, const TenantName& name) {
  const TenantState state = tenant_state_of(value);
  return state == TenantState::deleted || name.keeps_rules() ? state : TenantState::failed;
}

bool is_priority(std::int64_t value) {
  return is_within(value, limits::kPriorityHighest, limits::kPriorityLowest);
}

std::optional<Lane> lane_in(const sqlite::Statement& row, int first) {
  const std::int64_t priority = row.integer(first + 1);
  if (!is_priority(priority)) return std::nullopt;
  return Lane{QueueNumber{row.integer(first)}, Priority{static_cast<int>(priority)},
              TenantNumber{row.integer(first + 2)}, KindNumber{row.integer(first + 3)}};
}

JobArrival arrival_in(const sqlite::Statement& row) {
  const auto lane = lane_in(row, 1);
  return {JobSeq{row.integer(0)}, lane.value_or(Lane{}), from_us(row.integer(5)),
          lane ? JobState::ready : JobState::blocked};
}

JobCounts clamped_counts_in(const sqlite::Statement& row, int first) {
  return {clamped(row.integer(first)), clamped(row.integer(first + 1)), clamped(row.integer(first + 2)),
          clamped(row.integer(first + 3))};
}

std::optional<JobCounts> counts_in(const sqlite::Statement& row, int first) {
  bool are_counts = is_within(row.integer(first), 1, limits::kAttemptsMax);
  for (int column = first + 1; column < first + 4; ++column)
    are_counts = are_counts && is_within(row.integer(column), 0, kIntMax);
  return are_counts ? std::optional{clamped_counts_in(row, first)} : std::nullopt;
}

void log_left_out(JobSeq seq, std::string_view why) {
  log::write(log::Level::warning, "store.row_left_out",
             "job row " + std::to_string(seq.value) + ' ' + std::string{why});
}

}  // namespace tenure::queue
