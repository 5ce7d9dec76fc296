#pragma once

#include <tenure/queue/batch_id.hpp>
#include <tenure/queue/pause.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/shown_state.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What the store hands out for showing: to the CLI, tests and pages. Nobody decides by these.
namespace tenure::queue {

struct ToldProgress {
  Progress progress;
  WallTime told{};
};

// The cursor of a job that has not ended, of whose bytes nobody but its handler knows anything.
struct SavedCursor {
  std::int64_t size_bytes = 0;
  WallTime saved{};
};

struct JobRecord {
  JobSeq seq;
  JobId id;
  std::optional<TenantName> tenant;  // nothing: untenanted
  Generation generation;
  TenantState tenant_state = TenantState::active;
  std::string queue;
  std::string kind;
  Priority priority;
  ShownState state = ShownState::ready;
  JobReason reason = JobReason::none;
  WallTime created{};
  WallTime due{};
  std::optional<WallTime> start_before;  // while it has not started: else it is discarded then
  std::optional<WallTime> started;       // of the claim, or of the run that ended it
  std::optional<WallTime> finished;
  int attempts_max = 0;
  int failures = 0;
  int crashes = 0;
  int releases = 0;
  std::int64_t size_bytes = 0;
  std::optional<ClaimToken> claim;
  std::optional<ProcessNumber> process;  // of the claim
  std::optional<WallTime> cancel_asked;  // since when it runs on though an operator has cancelled it
  std::optional<ToldProgress> progress;  // of the run under way
  std::optional<SavedCursor> cursor;     // where its next run goes on
  std::optional<BatchId> batch;          // of which it is a member
  std::string error;                     // of the last failure, "" for none
  std::string held_by;  // of one that a limit holds: which, in short, as "mail, 100/1m used up"; "" for none
  std::string refused;  // what its damaged row holds that keeps it from work, "" for nothing
};

struct AttemptRecord {
  int number =
      0;  // from 1, in order of their ends; interruptions count here too, and releases in a row as one
  AttemptOutcome outcome = AttemptOutcome::failed;
  std::optional<ErrorCode> error_code;
  std::string error;
  std::optional<WallTime> started;
  WallTime finished{};
  ClaimToken claim;
  ProcessNumber process;
  std::string node;  // of the dispatcher whose claim it was, "" where that one is not known
  RunPlace place;
};

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
};

// A worker process that takes jobs, and how many at once.
struct PoolProcess {
  ProcessNumber number;
  std::int64_t slots = 0;
  friend bool operator==(const PoolProcess&, const PoolProcess&) = default;
};

// A pool of the dispatcher, as it tells whoever only looks.
struct PoolRecord {
  std::string name;
  std::vector<std::string> queues;  // that it lists, sorted
  std::int64_t workers = 0;         // live worker processes that have said hello
  // Of the last ones where there are none:
  std::vector<std::string> kinds;  // that they perform, sorted
  std::vector<std::string>
      default_queues;  // to which jobs of these kinds go by default, sorted; a pool may list them or not
  std::vector<PoolProcess> processes = {};  // by number; of no others
  // Of those kinds that want any, how many migrations a tenant must have had at least for one of the processes.
  std::map<std::string, std::int64_t> schemas = {};
  friend bool operator==(const PoolRecord&, const PoolRecord&) = default;
};

// The slots of the worker processes of a pool.
struct PoolSlots {
  std::string name;
  std::int64_t slots = 0;
  std::int64_t taken = 0;  // by claims, the job of which may not have begun
  friend bool operator==(const PoolSlots&, const PoolSlots&) = default;
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
