#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tenure {

// One attempt of one job, as the daemon assigned it. The tenant stands here and in the envelope, and both must agree.
struct PerformRequest {
  queue::JobId id;
  queue::ClaimToken token;
  std::optional<TenantName> tenant;
  Generation generation;
  std::string_view kind;
  std::string_view envelope;
  int attempt = 1;
  int attempts_max = 1;
  std::stop_token stop = {};
};

// Nothing: it succeeded. Whatever a handler throws is a failure and never leaves perform().
using PerformOutcome = std::optional<Failure>;

// Performs jobs: compares column, envelope and scope, decodes inside the tenant's scope, checks every Global ID, calls the
// handler, and sees to it that nothing of one job reaches the next.
// Threads: perform() from any number at once; the thread has no tenant before and after.
class Performer {
 public:
  // All must outlive it.
  Performer(const JobRegistry& jobs, HandleCache& handles, const Clock& clock, std::string application);
  [[nodiscard]] PerformOutcome perform(const PerformRequest& request);

 private:
  PerformOutcome attempt(const PerformRequest& request);
  void run(const PerformRequest& request);

  const JobRegistry& jobs_;
  HandleCache& handles_;
  const Clock& clock_;
  std::string application_;
};

}  // namespace tenure
