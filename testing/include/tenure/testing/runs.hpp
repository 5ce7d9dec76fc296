#pragma once

#include <tenure/queue/run.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// What a world has performed. Values.
namespace tenure::testing {

// One run of one job.
struct JobRun {
  queue::JobId id;
  std::string kind;
  std::optional<TenantName> tenant;                   // nothing: an untenanted job
  int attempt = 1;                                    // from 1
  std::optional<queue::AttemptFailure> failure = {};  // nothing: it has succeeded
  [[nodiscard]] bool has_succeeded() const { return !failure; }
  // "billing.send_invoice of acme, attempt 2: HandlerFailed: std::runtime_error: no route to host"
  [[nodiscard]] std::string text() const;
};

// What one call has performed, in the order in which the runs began.
struct Runs : std::vector<JobRun> {
  using std::vector<JobRun>::vector;
  [[nodiscard]] std::size_t succeeded() const;
  [[nodiscard]] std::size_t failed() const { return size() - succeeded(); }
};

// Which jobs a call performs; the others stay enqueued. An empty list leaves the choice open.
struct DrainOptions {
  std::vector<std::string> kinds = {};
  std::vector<TenantName> tenants = {};
  std::vector<std::string> queues = {};
  // So many runs are meant; one more is LoopGuardReached. At least 1.
  std::size_t runs_max = 10'000;
};

// Jobs enqueue jobs without end, as far as can be told. What was performed has been; the message says which kinds were, and how often.
class LoopGuardReached : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tenure::testing
