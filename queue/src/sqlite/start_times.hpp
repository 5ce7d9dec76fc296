#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <optional>
#include <vector>

// The table start_before inside one write transaction, in which nobody else writes: so whether it has rows at all is asked once, and
// while it has none nothing else is. Internal.
namespace tenure::queue {

// A row whose time has come.
struct LateStart {
  JobSeq seq;
  std::optional<JobId> id;  // nothing: there is no such job
};

class StartTimes {
 public:
  explicit StartTimes(sqlite::Connection& connection) : connection_(connection) {}

  // Of a job that is new.
  void add(JobSeq seq, WallTime start_before);
  // Nothing: it has started, or may start whenever.
  [[nodiscard]] std::optional<WallTime> of(JobSeq seq);
  // It has started, or ended.
  void forget(JobSeq seq);
  // Of jobs without a claim, by time.
  [[nodiscard]] std::vector<LateStart> late(WallTime now, std::size_t limit);
  // See ExpiryWriter::next_expiry.
  [[nodiscard]] std::optional<WallTime> next(WallTime now);

 private:
  [[nodiscard]] bool may_have_any();

  sqlite::Connection& connection_;
  std::optional<bool> may_have_any_;
};

[[nodiscard]] std::vector<const sqlite::Query*> start_time_queries();

}  // namespace tenure::queue
