#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <limits>
#include <vector>

// The tables in which jobs wait: ready, scheduled, blocked. Internal.
namespace tenure::queue {

// What a job's row says of where it stands; the tables say the rest. Stored in job.state beside the final states.
enum class RowState : std::uint8_t {
  placed = 1,       // has, or had, a row of its own in scheduled, blocked or ready
  as_enqueued = 2,  // was due when it was enqueued, and has waited in its lane ever since
};

[[nodiscard]] constexpr bool is_as_enqueued(std::int64_t row_state) {
  return row_state == static_cast<std::int64_t>(RowState::as_enqueued);
}
// job.started_us of a job that has ended without a run of its own to tell of: an operator ended it while it waited.
inline constexpr std::int64_t kNeverStarted = 0;
inline constexpr std::int64_t kFirstFinalState = static_cast<std::int64_t>(JobState::succeeded);
[[nodiscard]] constexpr bool is_final_row(std::int64_t row_state) { return row_state >= kFirstFinalState; }

void insert_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& place);
// All of the lane from `first` to `last`, both included.
void delete_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& first,
                  const LanePlace& last);
[[nodiscard]] bool is_in_ready(sqlite::Connection& connection, const Lane& lane, const LanePlace& place);
// A priority of a queue that has rows of `ready`; as made, it lies before all of them.
struct ReadyPriority {
  std::int64_t queue = std::numeric_limits<std::int64_t>::min();
  std::int64_t priority = 0;
};
// Moves to the next one, by one seek. False: there is none.
[[nodiscard]] bool go_to_next(sqlite::Connection& connection, ReadyPriority& at);
void insert_scheduled(sqlite::Connection& connection, const Lane& lane, const LanePlace& place);
void delete_scheduled(sqlite::Connection& connection, const LanePlace& place);
[[nodiscard]] bool is_scheduled(sqlite::Connection& connection, const LanePlace& place);
void insert_blocked(sqlite::Connection& connection, const Lane& lane, const LanePlace& place,
                    JobReason reason);
void delete_blocked(sqlite::Connection& connection, JobSeq seq);
[[nodiscard]] bool is_blocked(sqlite::Connection& connection, JobSeq seq);
[[nodiscard]] bool is_claimed(sqlite::Connection& connection, JobSeq seq);

[[nodiscard]] std::vector<const sqlite::Query*> place_queries();

}  // namespace tenure::queue
