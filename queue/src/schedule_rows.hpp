#pragma once

#include <tenure/queue/schedule.hpp>
#include <tenure/queue/store.hpp>

#include <optional>
#include <string_view>
#include <vector>

// Schedules as rows, which each store keeps in its own way; what is done with them is the same in all (schedule_verbs.hpp). Internal.
namespace tenure::queue {

// A row of what became of a tick. One with a job is never replaced.
struct TickRow {
  ScheduleNumber schedule;
  WallTime tick{};
  TenantNumber tenant{0};
  bool is_manual = false;
  TickResult result = TickResult::fired;
  std::optional<JobId> job = {};
};

// A job of a schedule that is not known to have ended.
struct UnendedJob {
  JobSeq seq;
  std::optional<JobId> id = {};  // nothing: its row has gone
  bool has_ended = false;
  bool waits = false;  // has no claim
};

class ScheduleRows {
 public:
  virtual ~ScheduleRows() = default;

  virtual std::vector<ScheduleRecord> all() = 0;  // by name
  virtual std::optional<ScheduleRecord> numbered(ScheduleNumber number) = 0;
  virtual std::optional<ScheduleRecord> named(std::string_view name) = 0;
  virtual SchedulesMark mark() = 0;
  virtual std::vector<TickRecord> ticks(ScheduleNumber schedule, std::size_t limit) = 0;
  virtual std::optional<TickRecord> tick_of(JobId job) = 0;
  // The newest generation; of a deleted one too.
  virtual std::optional<TenantRecord> tenant(const TenantName& name) = 0;
  // As the last dispatcher has told them.
  virtual std::vector<PoolRecord> pools() = 0;
};

// The same inside of a transaction that writes.
class WritableScheduleRows : public ScheduleRows {
 public:
  // Each of these three raises the mark. The row gets its number.
  virtual ScheduleNumber insert(const ScheduleRecord& row) = 0;
  virtual void update(const ScheduleRecord& row) = 0;
  virtual void erase(ScheduleNumber number) = 0;
  // decided, noted, fan_out and missed alone, which raises no mark.
  virtual void advance(const ScheduleRecord& row) = 0;

  // False where that tick has made a job of that tenant.
  virtual bool add_tick(const TickRow& row) = 0;
  // The oldest rows of ticks before that time, of whatever schedule.
  virtual void forget_ticks(WallTime before, std::size_t limit) = 0;

  virtual void add_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) = 0;
  virtual void forget_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) = 0;
  virtual std::vector<UnendedJob> unended(ScheduleNumber schedule, TenantNumber tenant,
                                          std::size_t limit) = 0;

  struct Blocked {
    JobSeq seq;
    WallTime due{};
    std::optional<ScheduleNumber> schedule =
        {};  // nothing: the schedule has gone, or its tick is not known any more
    TenantNumber tenant{0};
  };
  // Jobs that are blocked for schedule_overlap, by sequence from behind `after`.
  virtual std::vector<Blocked> blocked(JobSeq after, std::size_t limit) = 0;
  virtual void make_ready(JobSeq seq, WallTime now) = 0;

  // Tenants that are active, or, where they are wanted, read-only, by number from behind `after`.
  virtual std::vector<TenantRecord> firing_tenants(TenantNumber after, std::size_t limit,
                                                   bool with_read_only) = 0;
  virtual Result<Enqueued> enqueue(const NewJob& job, bool is_blocked, WallTime now) = 0;
};

}  // namespace tenure::queue
