#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/schedule_rule.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Recurring rules and what became of their ticks. A schedule is a row of the control database that the dispatcher reads; a tick is decided
// once, in one commit with the jobs that it makes. Not for users to implement.
namespace tenure::queue {

struct JobArrival;
struct Enqueued;

inline constexpr std::size_t kSchedulesMax = 1000;
inline constexpr int kCatchUpMax = 1000;
inline constexpr std::chrono::microseconds kSpreadMax = std::chrono::hours{7 * 24};
// Decided later than this, a tick was missed, and the catch-up rule says what becomes of it.
inline constexpr std::chrono::seconds kTickOnTime{30};
// What became of ticks is kept for so long behind the newest one that was decided.
inline constexpr std::chrono::hours kTicksKept{24};

using ScheduleNumber = Strong<struct ScheduleNumberTag, std::int64_t>;

// Values of these enums are stored: never renumber.
enum class ScheduleScope : std::uint8_t {
  global = 1,       // one job without a tenant
  tenant = 2,       // one job of the tenant that is named
  each_tenant = 3,  // one job of each active tenant
};
enum class CatchUp : std::uint8_t {
  none = 1,    // missed ticks are gone
  latest = 2,  // the last one of them fires
  all = 3,     // the last catch_up_max of them fire, the oldest first
};
// Where a job of an earlier tick has not ended. Of each tenant by itself.
enum class Overlap : std::uint8_t {
  allow = 1,
  skip = 2,       // the tick makes none
  queue_one = 3,  // it makes one that is blocked until the other has ended; none where one waits already
};
enum class TickResult : std::uint8_t {
  fired = 1,
  overlap = 2,  // skipped by the overlap policy
  paused = 3,   // the schedule was
  missed = 4,
  tenant = 5,   // its tenant's state allows none
  refused = 6,  // the store did not take its job
};
[[nodiscard]] std::string_view name_of(ScheduleScope scope);
[[nodiscard]] std::string_view name_of(CatchUp catch_up);
[[nodiscard]] std::string_view name_of(Overlap overlap);
[[nodiscard]] std::string_view name_of(TickResult result);

// A schedule as somebody has written it: in the configuration, or by `tenure schedule add`.
struct ScheduleEntry {
  std::string name;
  std::string kind;
  std::string queue = "default";
  int priority = 0;
  int attempts_max = 10;
  WrittenRule rule = {};
  std::string arguments = "{}";
  ScheduleScope scope = ScheduleScope::global;
  std::string tenant = {};  // of scope tenant
  std::chrono::microseconds spread{
      0};  // of scope each_tenant: each tenant has its own moment in it, the same of each tick
  CatchUp catch_up = CatchUp::latest;
  int catch_up_max = 1;  // of CatchUp::all
  Overlap overlap = Overlap::skip;
  friend bool operator==(const ScheduleEntry&, const ScheduleEntry&) = default;
};
// One of the configuration, which may hold texts that no entry can: `problem` says so then.
struct DeclaredSchedule {
  ScheduleEntry entry;
  std::string problem = {};
  friend bool operator==(const DeclaredSchedule&, const DeclaredSchedule&) = default;
};
// The entry with these three as they are written.
[[nodiscard]] DeclaredSchedule declared_schedule(ScheduleEntry entry, std::string_view scope,
                                                 std::string_view catch_up, std::string_view overlap);
// "global", "tenant:acme", "each_tenant"; "none", "latest", "all:24"; "allow", "skip", "queue_one". BadOptions says what is wrong.
[[nodiscard]] Result<void> read_scope(std::string_view text, ScheduleEntry& entry);
[[nodiscard]] Result<void> read_catch_up(std::string_view text, ScheduleEntry& entry);
[[nodiscard]] Result<Overlap> read_overlap(std::string_view text);
[[nodiscard]] std::string scope_text(const ScheduleEntry& entry);
[[nodiscard]] std::string catch_up_text(const ScheduleEntry& entry);
// All that can be said of it without a store: BadOptions, or BadPayload of its arguments.
[[nodiscard]] Result<void> check_schedule(const ScheduleEntry& entry);

// When the job of that tenant is due: at the tick, and so much later.
[[nodiscard]] std::chrono::microseconds spread_of(const ScheduleEntry& entry, std::string_view tenant);
// The same tick makes the same id, whoever makes it.
[[nodiscard]] JobId job_id_of_tick(std::string_view schedule, WallTime tick, std::string_view tenant,
                                   Generation generation, bool is_manual);

struct SchedulePause {
  WallTime since{};
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
  friend bool operator==(const SchedulePause&, const SchedulePause&) = default;
};

// A tick whose jobs are being made, of tenants by number: `after` is the last one that was looked at.
struct FanOut {
  WallTime tick{};
  TenantNumber after{0};
  friend bool operator==(const FanOut&, const FanOut&) = default;
};

enum class ScheduleOrigin : std::uint8_t { configuration = 1, added = 2 };

struct ScheduleRecord {
  ScheduleNumber number;
  ScheduleEntry entry;
  ScheduleOrigin origin = ScheduleOrigin::configuration;
  // What is wrong with the entry, "" for nothing: then it has no ticks.
  std::string problem = {};
  std::int64_t revision = 0;  // grows with each change by whomever
  WallTime decided{};         // every tick up to here is decided
  WallTime noted{};           // while it is paused: every tick up to here is noted as skipped
  std::optional<SchedulePause> paused = {};
  std::optional<FanOut> fan_out = {};
  std::int64_t missed = 0;  // ticks, in all
  friend bool operator==(const ScheduleRecord&, const ScheduleRecord&) = default;
};

// What a reader tells besides.
struct ShownSchedule {
  ScheduleRecord record;
  // Why it makes no job now, "" for nothing: `problem`, or the state of its tenant.
  std::string disabled = {};
};

struct TickRecord {
  ScheduleNumber schedule;
  WallTime tick{};
  std::optional<TenantName> tenant = {};
  bool is_manual = false;
  TickResult result = TickResult::fired;
  std::optional<JobId> job = {};
  friend bool operator==(const TickRecord&, const TickRecord&) = default;
};

// Grows with each change of a schedule, whoever makes it, but not with its ticks.
using SchedulesMark = Strong<struct SchedulesMarkTag, std::int64_t>;
struct OpenSchedules {
  SchedulesMark mark;
  std::vector<ScheduleRecord> schedules;  // without those that have a problem
};

// What is to be done about one tick. A pure function of the row, its rule and the time.
struct TickOrder {
  ScheduleNumber schedule;
  std::int64_t revision = 0;
  WallTime decided{};                 // as the row says now
  std::optional<WallTime> fire = {};  // nothing: no job
  WallTime until{};                   // every tick up to here is decided by this
  std::vector<WallTime> missed = {};  // of those that do not fire, the newest kTicksTold
  std::int64_t missed_count = 0;      // all of them
  std::vector<WallTime> paused = {};  // skipped since the schedule is paused; decided they are not
  friend bool operator==(const TickOrder&, const TickOrder&) = default;
};
inline constexpr std::size_t kTicksTold = 100;
inline constexpr std::int64_t kTicksCounted = 10'000;  // more missed ticks are not counted
// Nothing: no tick is due. A schedule with a fan-out under way is not asked for: that is gone on with first.
[[nodiscard]] std::optional<TickOrder> due_order(const ScheduleRecord& schedule, const ScheduleRule& rule,
                                                 WallTime now);
// When there is something to do next.
[[nodiscard]] std::optional<WallTime> next_due_of(const ScheduleRecord& schedule, const ScheduleRule& rule);

struct TickReply {
  bool is_stale = false;    // the row has changed, and nothing was done
  bool is_waiting = false;  // for its tenant, which is being made or migrated; nothing was done
  WallTime decided{};       // as the row says now, and so the other two
  WallTime noted{};
  std::optional<FanOut> fan_out = {};
  std::int64_t fired = 0;
  std::int64_t overlapped = 0;
  std::int64_t blocked = 0;                // of `fired`, those that wait for another
  std::optional<TickResult> skipped = {};  // the whole tick, for its tenant's state
  std::int64_t refused = 0;
  std::string why = {};  // of `skipped`, or of the first one that was refused
};

// What became of one page of jobs that are blocked behind others of their schedules.
struct ReleasedJobs {
  std::int64_t left = 0;                  // that are still blocked
  std::optional<JobSeq> read_until = {};  // the last job of the page; nothing: there are no more behind it
};

class ScheduleReader {
 public:
  virtual ~ScheduleReader() = default;
  // In the order of names.
  [[nodiscard]] virtual std::vector<ShownSchedule> schedules() = 0;
  // The newest first.
  [[nodiscard]] virtual std::vector<TickRecord> ticks(ScheduleNumber schedule, std::size_t limit) = 0;
  // The tick that has made that job, while it is kept.
  [[nodiscard]] virtual std::optional<TickRecord> tick_of(JobId job) = 0;
};

class ScheduleWriter {
 public:
  virtual ~ScheduleWriter() = default;

  // Those of the configuration, in place of what it declared before. One whose rule is new has ticks from now on; one that is new has its
  // name from whoever added it. Entries that are wrong are kept with what is wrong, so that one stops no other.
  virtual void declare(std::span<const DeclaredSchedule> entries, WallTime now) = 0;
  // BadOptions, BadPayload (check_schedule), IdConflict (there is one of that name), LimitReached.
  [[nodiscard]] virtual Result<ScheduleNumber> add(const ScheduleEntry& entry, WallTime now) = 0;
  // RecordNotFound; StateChanged for one that the configuration declares.
  [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;
  // RecordNotFound, StateChanged where it is (not) paused.
  [[nodiscard]] virtual Result<void> pause(std::string_view name, const SchedulePause& pause) = 0;
  [[nodiscard]] virtual Result<void> resume(std::string_view name) = 0;
  // A job now, which moves no tick. `tenant`: of each_tenant, and of no other. RecordNotFound, BadOptions, LimitReached (a job of it has not
  // ended, and its overlap policy allows no other), and what enqueue says.
  [[nodiscard]] virtual Result<Enqueued> run_now(std::string_view name,
                                                 const std::optional<TenantName>& tenant, WallTime now) = 0;

  // Those that are open, where any has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<OpenSchedules> open(SchedulesMark known) = 0;
  // Carries an order out, with at most `limit` tenants of it; then, and where `order` says no tick, goes on with a fan-out under way.
  [[nodiscard]] virtual TickReply tick(const TickOrder& order, std::size_t limit, WallTime now) = 0;
  // Jobs that were blocked behind another one of their schedule, which has ended, become ready, with a lane hint: looks at the `limit` next
  // behind `after`, by sequence.
  [[nodiscard]] virtual ReleasedJobs release_blocked(JobSeq after, std::size_t limit, WallTime now) = 0;
};

}  // namespace tenure::queue
