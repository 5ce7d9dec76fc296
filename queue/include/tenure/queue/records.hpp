#pragma once

#include <tenure/queue/job_record.hpp>
#include <tenure/queue/pause.hpp>
#include <tenure/queue/pool.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/shown_state.hpp>
#include <tenure/queue/tenant_schema.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What the store hands out for showing: to the CLI, tests and pages. Nobody decides by these.
namespace tenure::queue {

// So many jobs are held for this reason.
struct HeldJobs {
  JobReason reason = JobReason::none;
  std::int64_t jobs = 0;
};

struct QueueRecord {
  std::string name;
  std::int64_t scheduled = 0;
  std::int64_t ready = 0;  // without those that run or are held
  std::int64_t held = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;
  std::optional<WallTime> oldest_ready;  // due time
  std::vector<HeldJobs> held_by;         // in the order of reasons; together `held`
  std::optional<PauseRecord> pause = std::nullopt;
};

// Of the jobs of a kind the same is counted.
using KindRecord = QueueRecord;

struct TenantSummary {
  TenantRecord tenant;
  std::int64_t ready = 0;
  std::int64_t held = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;
  std::optional<WallTime> oldest_ready;
  std::optional<PauseRecord> pause = std::nullopt;
  // When its database was written to last, of whoever has looked at the file; a store leaves it empty.
  std::optional<WallTime> written = std::nullopt;
  std::optional<MigrationRecord> migration = std::nullopt;  // the last one that somebody has told of
};

// What the store tells of those who may start before a job. The order between tenants is in the dispatcher's memory.
struct WayAhead {
  std::int64_t jobs = 0;  // ready ones of its lane that were due before it; at most kWayAheadMax
  std::int64_t tenants =
      0;  // other ones that are active and have ready jobs in its queue and priority; at most kWayAheadMax
  bool capped = false;  // there may be more
  friend bool operator==(const WayAhead&, const WayAhead&) = default;
};
inline constexpr std::int64_t kWayAheadMax = 1'000;

// A worker process, as the daemon that has it tells of it.
struct WorkerRecord {
  std::int64_t process = 0;  // the dispatcher's number
  std::int64_t pid = 0;
  std::string pool;
  std::string node;   // of the daemon
  std::string state;  // "starting" "ready" "quiet" "leaving"
};

struct HolderRecord {
  Incarnation incarnation;
  std::string node;
  std::int64_t pid = 0;
  WallTime started{};
};

struct StoreSummary {
  std::string backend;  // "sqlite", "memory"
  std::string path;
  std::string store_id;
  std::int64_t schema_version = 0;
  std::int64_t size_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::string library;  // "SQLite 3.40.1"
  std::int64_t jobs = 0;
  std::int64_t claims = 0;
  std::int64_t tenants = 0;
  std::optional<HolderRecord> last_holder;  // of the newest incarnation, alive or not
};

}  // namespace tenure::queue
