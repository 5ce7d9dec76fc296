#pragma once

#include <tenure/base/sqlite/statement.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Values of rows by the rules of reading, which are wider than those for new ones: nothing is cut to fit a type. What is shown is
// clamped; what no row of ours holds is told apart, so that the job is refused for work and nobody else is stopped. Internal.
namespace tenure::queue {

// What `state` and `outcome` are shown as, by the name "unknown", where the number is none of theirs.
inline constexpr JobState kUnknownState{255};
inline constexpr AttemptOutcome kUnknownOutcome{255};
inline constexpr JobReason kUnknownReason{255};

[[nodiscard]] int clamped(std::int64_t value);
[[nodiscard]] JobState job_state_of(std::int64_t value);
[[nodiscard]] JobReason job_reason_of(std::int64_t value);
[[nodiscard]] AttemptOutcome outcome_of(std::int64_t value);
[[nodiscard]] ErrorCode error_code_of(std::int64_t value);
// One that is none is gated as `failed` is.
[[nodiscard]] TenantState tenant_state_of(std::int64_t value);
// The same of a live tenant whose name breaks today's rules.
[[nodiscard]] TenantState tenant_state_of(std::int64_t value, const TenantName& name);

[[nodiscard]] bool is_priority(std::int64_t value);

// A lane in four columns from `first` on. Nothing where the priority is none: such a row is in no lane.
[[nodiscard]] std::optional<Lane> lane_in(const sqlite::Statement& row, int first);

// Of a row (seq, the lane in four columns, due_us). Where it is in no lane it is told as blocked, so that nobody takes it up.
[[nodiscard]] JobArrival arrival_in(const sqlite::Statement& row);

// attempts_max, failures, crashes and releases in four columns.
struct JobCounts {
  int attempts_max = 0;
  int failures = 0;
  int crashes = 0;
  int releases = 0;
};
[[nodiscard]] JobCounts clamped_counts_in(const sqlite::Statement& row, int first);
// Nothing where one of them is none that a job can have.
[[nodiscard]] std::optional<JobCounts> counts_in(const sqlite::Statement& row, int first);

// A warning that names the row.
void log_left_out(JobSeq seq, std::string_view why);

}  // namespace tenure::queue
