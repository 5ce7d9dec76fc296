#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

// Successes on their way into their jobs' rows. A finish appends a row of `ended`, beside all others of its time; *settle* writes
// them into `job` in the order of sequences, so that a page of jobs is written once for all its ends, and deletes them. Internal.
//
// Invariants:
//   1 A job has at most one row of `ended`, made by the commit that deletes its claim; from then on nothing changes the job but
//     settling it.
//   2 A row of `ended` is deleted in a commit behind the one that wrote its job's row. Until then both say the same, and the job's
//     row is believed.
//   3 The newest row of `ended` is never deleted, so numbers grow for ever, and a batch that was read can delete nothing newer.
//   4 No row of `job` above the mark `settled` says that it has succeeded, where there is such a mark.
// Thus any part of it may be lost or done twice, also by two processes.
// Threads: one at a time. Each call of settle() is inside a write transaction of its own, and committed() or forget() follows it.
namespace tenure::queue {

struct SettleLimits {
  std::int64_t rows_max = 1'000'000;       // that wait while there is work
  std::int64_t rows_idle = 1'000;          // and while there is none
  std::size_t batch_rows = 1'000'000;      // sorted together, 24 bytes each
  std::size_t commit_rows = 1'000;         // of `job`, in one commit
  std::size_t delete_rows = 10'000;        // of `ended`, in one commit
  std::int64_t rows_between_looks = 4096;  // ends after which it is counted what waits
};

class EndedJobs {
 public:
  explicit EndedJobs(const SettleLimits& limits) : limits_(limits) {}

  [[nodiscard]] const SettleLimits& limits() const { return limits_; }
  [[nodiscard]] bool is_settling() const { return !batch_.empty(); }
  // Rows that are not settled, as far as this process knows.
  [[nodiscard]] std::int64_t waiting(sqlite::Connection& connection) const;

  // Takes the next batch, where there is one: in any snapshot.
  void load(sqlite::Connection& connection);
  // A part of the batch; `rows` bounds how many jobs are written.
  void settle(sqlite::Connection& connection, std::size_t rows);
  void committed();
  void forget();

 private:
  struct End {
    JobSeq seq;
    std::int64_t started_us = 0;
    std::int64_t finished_us = 0;
  };

  const SettleLimits limits_;
  std::vector<End> batch_;  // by sequence
  std::size_t written_ = 0, written_next_ = 0;
  std::int64_t last_number_ = 0;                 // of the batch
  std::int64_t deleted_ = 0, deleted_next_ = 0;  // numbers up to this one
  std::int64_t settled_ = 0;                     // numbers up to this one, the last batch's end
};

// Ends the claim as a success. False: it has moved on, and nothing was written.
[[nodiscard]] bool append_ended(sqlite::Connection& connection, ClaimRef claim, WallTime now);

[[nodiscard]] std::vector<const sqlite::Query*> ended_queries();

}  // namespace tenure::queue
