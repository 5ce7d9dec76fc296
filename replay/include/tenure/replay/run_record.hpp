#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What one run of a job has done, as a value: that of a capsule, or that of a replay of it. Two of them are compared by compare.hpp.
// Threads: values.
namespace tenure::replay {

// One call of JobContext::recorded, in the order in which they returned.
struct RecordedCall {
  std::string name;
  std::string value;                              // JSON, as arguments are encoded; empty where it threw
  std::optional<Failure> failure = std::nullopt;  // what it threw
  friend bool operator==(const RecordedCall&, const RecordedCall&) = default;
};

// A job that the run enqueued in a step of `once` that was committed, in the order of its outbox.
struct EnqueuedJob {
  queue::JobId id;
  std::string kind;
  std::string queue;
  std::int64_t priority = 0;
  WallTime due{};
  std::int64_t attempts_max = 0;
  std::string arguments;  // JSON
  std::string keys = {};  // queue::stated_keys_text
  std::optional<WallTime> start_before = std::nullopt;
  friend bool operator==(const EnqueuedJob&, const EnqueuedJob&) = default;
};

// What became of one row of one of the application's tables between the beginning of the run and its end.
struct RowChange {
  enum class Kind : std::uint8_t { inserted = 1, updated = 2, deleted = 3 };
  std::string table;
  Kind kind = Kind::inserted;
  // JSON objects by the names of columns: the primary key; the values before (of an update: of the columns that changed) and after.
  // Bytes stand as {"$base64": TEXT}.
  std::string key;
  std::string before;  // empty: inserted
  std::string after;   // empty: deleted
  friend bool operator==(const RowChange&, const RowChange&) = default;
};

struct RunRecord {
  std::uint64_t seed = 0;          // of JobContext::random and of the ids of jobs that the run enqueues
  std::vector<WallTime> readings;  // what the clock said, in the order in which the run asked
  std::vector<RecordedCall> calls;
  std::vector<EnqueuedJob> jobs;
  bool has_keys_of_jobs =
      true;  // a capsule from before says nothing of their keys and start_before, so neither are compared
  std::vector<RowChange> changes;                // by table and key
  std::optional<queue::AttemptFailure> failure;  // nothing: it succeeded
  std::string cursor;                            // of its last checkpoint; empty: none
  // Of the application's tables those whose changes are not in `changes`: without a primary key, with generated columns, virtual ones
  // and those that the run has made. By name. Whoever shows or compares changes says so.
  std::vector<std::string> tables_not_recorded;
  std::optional<std::string> returned =
      std::nullopt;  // by the handler, as JSON, where its kind keeps it and the run has succeeded
  friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

}  // namespace tenure::replay
