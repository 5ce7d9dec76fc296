#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/start_rate.hpp>
#include <tenure/queue/batch.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Fan-outs: one job for each tenant that there is at the start. A fan-out is a row of the control database with a cursor over the tenants, by
// number; the dispatcher visits them page by page, and each page is one commit with the jobs that it makes. Its jobs are the members of a
// batch without a tenant, whose id is the fan-out's, and whose callbacks are the fan-out's; it is closed by the commit that visits the last
// tenant. Not for users to implement. Decision 47 says why.
namespace tenure::queue {

struct Enqueued;

inline constexpr std::size_t kFanOutKeyMax = 200;  // bytes
inline constexpr std::chrono::microseconds kFanOutWindowMax = std::chrono::hours{7 * 24};
inline constexpr std::size_t kFanOutsMax = 1000;  // that still visit tenants

// Why a tenant has no job. Stored: never renumber.
enum class FanOutSkip : std::uint8_t {
  provisioning = 1,
  paused = 2,
  read_only = 3,
  failed = 4,
  deleted = 5,  // before the start
  gone = 6,     // since the start
  refused = 7,  // the store did not take its job
};
[[nodiscard]] std::string_view name_of(FanOutSkip skip);

// A job for each tenant.
struct NewFanOut {
  BatchId id;
  std::string name = {};  // as that of a batch
  std::string key = {};   // of which one is unfinished at a time; empty: none
  // Id, tenant, generation, times, batch and unique key are not looked at.
  NewJob job;
  std::chrono::microseconds start_within{0};  // of each job, from its due time; 0: whenever
  std::chrono::microseconds window{
      0};  // over which tenants are visited, evenly and each at a moment of its own
  std::optional<StartRate> rate = {};  // of first starts
  std::optional<BatchCallback> on_complete = {};
  std::optional<BatchCallback> on_success = {};
};

struct StartedFanOut {
  BatchId id;            // of the one that is unfinished under that key
  bool existed = false;  // it was there
};

// The same for the same fan-out and tenant, whoever makes it.
[[nodiscard]] JobId job_id_of_fan_out(BatchId fan_out, std::string_view tenant, Generation generation);

// Follows from what is stored.
enum class FanOutState : std::uint8_t {
  visiting,    // more tenants are to come
  cancelling,  // jobs that have not started are being cancelled
  waiting,     // for jobs to end
  complete,
};
[[nodiscard]] std::string_view name_of(FanOutState state);

struct FanOutRecord {
  BatchRecord batch;
  std::string key = {};
  std::string kind = {};
  std::string queue = {};
  std::chrono::microseconds window{0};
  std::optional<StartRate> rate = {};
  std::int64_t tenants = 0;  // in the registry at the start, deleted ones too
  std::int64_t visited = 0;  // of them: each has a job or was skipped
  std::int64_t made = 0;
  std::int64_t skipped = 0;
  std::map<FanOutSkip, std::int64_t> skips =
      {};                     // each of `skipped`; of one fan-out that was asked for, not in lists
  bool is_under_way = false;  // the dispatcher has something to do
  std::string problem = {};   // why it was ended by the dispatcher, or its first job was refused
  [[nodiscard]] FanOutState state() const {
    if (batch.completed) return FanOutState::complete;
    if (!is_under_way) return FanOutState::waiting;
    return batch.cancelled ? FanOutState::cancelling : FanOutState::visiting;
  }
};

// A tenant without a job.
struct SkippedTenant {
  TenantNumber number;
  std::optional<TenantName> tenant = {};
  Generation generation;
  FanOutSkip skip = FanOutSkip::gone;
  WallTime when{};
};

// A tenant's job, while it is kept.
struct FanOutJob {
  JobSeq seq;
  JobId id;
  std::optional<TenantName> tenant = {};
  Generation generation;
  std::optional<JobState> ended = {};  // nothing: not yet
};
enum class FanOutJobs : std::uint8_t { all, failed };  // dead, discarded and cancelled

struct FanOutCensus {
  std::int64_t under_way = 0;     // visiting or cancelling
  std::int64_t tenants_left = 0;  // that these are yet to visit
  std::optional<BatchId> oldest_under_way = {};
  std::optional<WallTime> oldest_started = {};
};

// One whose counts do not add up: no store of ours leaves one.
struct MiscountedFanOut {
  BatchId id;
  std::int64_t visited = 0;
  std::int64_t made = 0;
  std::int64_t skipped = 0;
  std::int64_t skips_found = 0;  // rows of skipped tenants
};

// Grows with each start and cancel, but not with visits.
using FanOutsMark = Strong<struct FanOutsMarkTag, std::int64_t>;

// What a dispatcher knows of one that is under way.
struct OpenFanOut {
  BatchNumber number;
  BatchId id;
  std::string name = {};
  WallTime started{};
  std::chrono::microseconds window{0};
  std::optional<StartRate> rate = {};
  std::int64_t tenants = 0;
  std::int64_t visited = 0;
  TenantNumber after{0};  // the last one that was visited
  bool is_cancelled = false;
  JobSeq cancelled_until{0};  // its jobs up to here were looked at
};
struct OpenFanOuts {
  FanOutsMark mark;
  std::vector<OpenFanOut> fan_outs;
};

// When the next tenant is to be visited.
[[nodiscard]] WallTime next_visit_of(const OpenFanOut& fan_out);
// How many tenants are due now, at most `limit`. Pure, as the one above.
[[nodiscard]] std::size_t visits_due(const OpenFanOut& fan_out, WallTime now, std::size_t limit);

// What is to be done about one now. Where it is cancelled: `tenants_max` of its jobs are looked at.
struct VisitOrder {
  BatchNumber fan_out;
  TenantNumber after;         // as the row says now
  bool is_cancelled = false;  // the same
  std::size_t tenants_max = 0;
  std::size_t jobs_max = 0;       // of these tenants, that get one
  std::size_t waiting_max = 0;    // how many jobs that have not started are told of; 0: none
  std::vector<JobSeq> look = {};  // of these jobs of it, those that have not started
};

struct VisitReply {
  bool is_stale = false;  // the row has changed, and nothing was done
  TenantNumber after{0};  // as the row says now, and so the others
  std::int64_t visited = 0;
  JobSeq cancelled_until{0};
  bool is_done = false;  // there is nothing more to do
  std::vector<JobSeq> made = {};
  std::int64_t skipped = 0;
  std::int64_t refused = 0;          // of `skipped`
  std::string why = {};              // of the first of them, or why it was ended
  std::vector<JobSeq> waiting = {};  // before `made`, the newest; or those of `look`, in its order
};

class FanOutReader {
 public:
  virtual ~FanOutReader() = default;
  // The newest first, from behind `before`.
  [[nodiscard]] virtual std::vector<FanOutRecord> fan_outs(const std::optional<BatchNumber>& before,
                                                           std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<FanOutRecord> fan_out(BatchId id) = 0;
  // In the order of visits, from behind `after`.
  [[nodiscard]] virtual std::vector<SkippedTenant> skipped(BatchId id, TenantNumber after,
                                                           std::size_t limit) = 0;
  [[nodiscard]] virtual std::vector<FanOutJob> jobs(BatchId id, FanOutJobs which, JobSeq after,
                                                    std::size_t limit) = 0;
  [[nodiscard]] virtual FanOutCensus fan_out_census() = 0;
  // Looks at each fan-out.
  [[nodiscard]] virtual std::vector<MiscountedFanOut> miscounted_fan_outs(std::size_t limit) = 0;
};

class FanOutWriter {
 public:
  virtual ~FanOutWriter() = default;
  // The same id again is the fan-out that is there, and so is any other under a key of which one is unfinished. BadOptions, IdConflict (the id
  // is another batch's), LimitReached, PayloadTooLarge, BadConfiguration (a key of seals).
  [[nodiscard]] virtual Result<StartedFanOut> start(const NewFanOut& fan_out, WallTime now) = 0;
  // No tenant is visited from this commit on, and it will not succeed; what has not started is cancelled by carry_on, page by page. What has
  // started ends by its own rules. RecordNotFound; StateChanged where it is complete or cancelled.
  [[nodiscard]] virtual Result<void> cancel(BatchId id, WallTime now) = 0;

  // Those that are under way, where any has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<OpenFanOuts> open(FanOutsMark known) = 0;
  [[nodiscard]] virtual VisitReply carry_on(const VisitOrder& order, WallTime now) = 0;
};

// Parts of JobReader and of StoreWriter. As long as these live.
class HasFanOutReader {
 public:
  virtual ~HasFanOutReader() = default;
  [[nodiscard]] virtual FanOutReader& fan_outs() = 0;
};
class HasFanOutWriter {
 public:
  virtual ~HasFanOutWriter() = default;
  [[nodiscard]] virtual FanOutWriter& fan_outs() = 0;
};

}  // namespace tenure::queue
