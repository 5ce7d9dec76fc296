#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/run.hpp>

#include <optional>
#include <string>
#include <vector>

// The tables progress and job_cursor inside one write transaction, in which nobody else writes: whether they have rows at all is
// asked once, and while they have none nothing else is. Internal.
namespace tenure::queue {

class ToldByRuns {
 public:
  explicit ToldByRuns(sqlite::Connection& connection) : connection_(connection) {}

  // False where the claim has moved on; then nothing was changed.
  [[nodiscard]] bool tell(const RunNews& news, WallTime now);
  // The claim has gone.
  void forget_progress(JobSeq seq);
  // The job never runs again.
  void forget_cursor(JobSeq seq);
  // Empty: none.
  [[nodiscard]] std::string cursor(JobSeq seq);

 private:
  struct HasAny {
    bool progress = false;
    bool cursor = false;
  };
  [[nodiscard]] HasAny& has_any();

  sqlite::Connection& connection_;
  std::optional<HasAny> has_any_;
};

[[nodiscard]] std::vector<const sqlite::Query*> told_by_runs_queries();

}  // namespace tenure::queue
