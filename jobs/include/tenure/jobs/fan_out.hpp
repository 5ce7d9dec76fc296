#pragma once

#include <tenure/base/start_rate.hpp>
#include <tenure/jobs/batch.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

// Fan-outs: one job for each tenant (Client::for_each_tenant). docs/manual/fan-out.md tells how they are used.
namespace tenure {

struct FanOutOptions {
  std::string name = {};  // what it is, for operators: at most 200 bytes of UTF-8 without control characters
  // Of one key one fan-out is unfinished at a time: who starts another one gets the id of that. At most 200 bytes. Empty: none.
  std::string key = {};
  // Over how long the tenants are visited: evenly, each at a moment of its own. 0: as fast as it goes; at most 7 days.
  std::chrono::microseconds over{0};
  // How many of its jobs start in any stretch of time, for the first time: {.starts = 10} a second. Retries are not counted.
  std::optional<StartRate> rate = {};
  // Of each job. What a fan-out says itself is BadOptions: id, tenant, untenanted, batch, run_in, run_at, start_before; a unique key, also of
  // the kind, does not count.
  EnqueueOptions job = {};
  // When every tenant was visited and every job has ended, however; in the commit that completes it, also where there were none.
  std::optional<BatchJob> on_complete = {};
  // When every job has succeeded, which may be after an operator's retry; skipped tenants have none.
  std::optional<BatchJob> on_success = {};
  // Made by the caller who repeats the call after a lost reply: the same id again is the same fan-out.
  std::optional<BatchId> id = {};
};

// How a fan-out stands. It is the batch of its jobs too, of the same id.
struct FanOutStatus {
  BatchStatus batch;
  std::string key = {};
  std::int64_t tenants = 0;  // in the registry at the start, deleted ones too
  std::int64_t visited = 0;  // of them: each has a job or was skipped
  std::int64_t made = 0;     // jobs
  std::int64_t skipped = 0;
  std::map<std::string, std::int64_t> skipped_for = {};  // by the reason, a word: "paused"
  bool is_cancelled = false;
};

enum class FanOutTenants : std::uint8_t {
  all,      // that have a job
  failed,   // whose job is dead, discarded or cancelled
  skipped,  // that have none
};

struct FanOutTenant {
  std::int64_t place = 0;                 // in the order of visits, for the next page
  std::optional<TenantName> tenant = {};  // nothing: its row has gone
  std::optional<Uuid> job = {};
  // "succeeded", "dead", "discarded", "cancelled"; of a skipped one why: "paused"; empty: its job has not ended.
  std::string outcome = {};
};

}  // namespace tenure
