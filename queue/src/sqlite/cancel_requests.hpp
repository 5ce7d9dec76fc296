#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <optional>
#include <vector>

// The table cancel_request inside one write transaction, in which nobody else writes: so whether it has rows at all is asked
// once, and while it has none nothing else is. Internal.
namespace tenure::queue {

class CancelRequests {
 public:
  explicit CancelRequests(sqlite::Connection& connection) : connection_(connection) {}

  // For the claim that the job has; one that stands for it already stays. Nothing where it has none.
  void add(JobSeq seq, WallTime now);
  // The job's claim has gone.
  void forget(JobSeq seq);
  [[nodiscard]] bool has(ClaimRef claim);
  // Those whose claims still stand, by number from behind `after`.
  [[nodiscard]] std::vector<CancelRequest> behind(CancelNumber after, std::size_t limit);

 private:
  [[nodiscard]] bool may_have_any();

  sqlite::Connection& connection_;
  std::optional<bool> may_have_any_;
};

[[nodiscard]] std::vector<const sqlite::Query*> cancel_request_queries();

}  // namespace tenure::queue
