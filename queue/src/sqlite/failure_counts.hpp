#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string_view>
#include <vector>

// The table failure_count inside one write transaction, in which nobody else writes: so whether it has rows at all is asked once, and
// while it has none nothing else is. Internal.
namespace tenure::queue {

class FailureCounts {
 public:
  explicit FailureCounts(sqlite::Connection& connection) : connection_(connection) {}

  void add(JobSeq seq, std::string_view rule, WallTime now);
  [[nodiscard]] FailureHistory of(JobSeq seq);
  // It has ended, or has a new budget.
  void forget(JobSeq seq);

 private:
  [[nodiscard]] bool may_have_any();

  sqlite::Connection& connection_;
  std::optional<bool> may_have_any_;
};

[[nodiscard]] std::vector<const sqlite::Query*> failure_count_queries();

}  // namespace tenure::queue
