#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/thread_bound.hpp>
#include <tenure/daemon/process_status.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/pool.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/schedule.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The part of `tenured` that decides: which job goes to which worker process next, what becomes of it afterwards, when
// processes start and end, and how a stop proceeds. A state machine without I/O, clocks or threads: the same events in the
// same order give the same actions, byte for byte.
// Threads: the one that steps it first, which it asserts.
namespace tenure::daemon {

using queue::AttemptEnd;
using queue::RunResult;

struct PoolSettings {
  std::string name;
  int processes = 1;                // 1 to 256
  std::vector<std::string> queues;  // strict order; other queues never run here
  // A process that has performed so many jobs, or whose memory is larger, is replaced; 0: never for that.
  std::int64_t jobs_max = 0;
  std::int64_t memory_max = 0;  // bytes, resident
  queue::PoolTenants tenants = {};
  std::vector<queue::ReservedSlots> reserved = {};  // the best priority first; each once
};

struct DispatcherSettings {
  std::vector<PoolSettings> pools;
  std::chrono::milliseconds poll{1000};  // how soon work is found without a hint
  std::chrono::milliseconds stop_deadline{25000};
  std::chrono::milliseconds ping_max{30000};  // no answer for so long: aborted, then killed
  std::string node;
  std::int64_t pid = 0;
  std::uint64_t seed = 0;  // of the jitter in retries
  // Whether a worker process can be ended alone; not where it is this very process.
  bool can_end_processes = true;
  // The dispatcher before this one died, since this boot and without having been told to stop: what it had claimed is suspect.
  bool former_died = false;
  // All that the configuration declares; nothing: there is no configuration, and what stands in the store stays.
  std::optional<std::vector<queue::DeclaredSchedule>> schedules = {};
  std::optional<std::vector<queue::DeclaredLimit>> limits = {};  // the same of these
};

// Both clocks at the moment of an event, read by the caller.
struct Now {
  WallTime wall{};
  Instant steady;
};

// --- Events: what happened.

struct Started {};
struct TimePassed {};
// A wake hint: another process enqueued something, or may have.
struct WakeHinted {
  std::optional<queue::Lane> lane;  // where a job is new; a guess, which the store corrects
};
struct RoundDone {
  RoundReply reply;
};
// The store could not do it; nothing of the round happened. Also what is found wrong with the store between two rounds.
struct RoundFailed {
  Failure failure;
};
// How long a run may take in one worker process.
struct TimeLimits {
  std::chrono::microseconds usual{0};                                      // 0: no limit
  std::map<std::string, std::chrono::microseconds, std::less<>> of_kinds;  // that state one themselves
  [[nodiscard]] std::chrono::microseconds of(std::string_view kind) const {
    const auto own = of_kinds.empty() ? of_kinds.end() : of_kinds.find(kind);
    return own == of_kinds.end() ? usual : own->second;
  }
  friend bool operator==(const TimeLimits&, const TimeLimits&) = default;
};

// A worker process said hello and was accepted.
struct WorkerReady {
  ProcessNumber process;
  int slots = 1;
  std::vector<std::string> kinds;  // that this process performs, sorted; others of its pool may differ
  std::vector<std::string> default_queues;  // of these kinds, sorted
  TimeLimits time_limits = {};
  std::int64_t pid = 0;  // 0 where nobody knows
  // Of those kinds that want any, how many migrations a tenant's database must have had.
  std::map<std::string, std::int64_t> schemas = {};
  std::vector<std::string> reads_only = {};  // those kinds, sorted, whose jobs only read
  // Of those kinds to which it matters, how many migrations a tenant's database may have had.
  std::map<std::string, std::int64_t> newest_schemas = {};
};
struct AttemptsEnded {
  ProcessNumber process;
  std::vector<AttemptEnd> ends;
};
// What the slot board of a process says after its end (protocol/slot_board.hpp).
struct LastSlots {
  std::vector<queue::ClaimRef> begun;    // the last one of each slot, whether or not it had ended
  std::vector<queue::ClaimRef> crashed;  // of those, whose thread met the signal that ended the process
  // Those that had ended last, in no order: what became of them may not have been told. Of one that failed not why.
  std::vector<AttemptEnd> ended = {};
};
// What runs tell of themselves while they go on.
struct RunsTold {
  ProcessNumber process;
  std::vector<queue::RunNews> news;
};
// The process is dead and reaped: nothing of it can commit any more.
struct WorkerGone {
  ProcessNumber process;
  std::string cause;  // "exit 0", "signal 9 (Killed)"; or why it could not be started
  // It left since the world failed it (a sync to disk, the memory behind a database): no job of it is charged.
  bool is_in_trouble = false;
  std::optional<queue::ProcessExit> exit = {};  // nothing where it could not be started
  std::optional<LastSlots> slots = {};          // nothing where it kept no board
  // By SIGKILL, and the kernel has ended some process for want of memory since it was started, or does not tell.
  bool may_lack_memory = false;
};
struct Ponged {
  ProcessNumber process;
  std::int64_t memory = 0;  // of its process: bytes, resident; 0 where nobody knows
};
// The process was told to end by somebody else: it asks to be drained.
struct WorkerLeaving {
  ProcessNumber process;
};
// The configuration was read again. Each time and each pool by its new values; what a pool's name and queues are does not change.
struct Reconfigured {
  std::chrono::milliseconds poll{1000};
  std::chrono::milliseconds stop_deadline{25000};
  std::chrono::milliseconds ping_max{30000};
  struct Pool {
    int processes = 1;
    std::int64_t jobs_max = 0;
    std::int64_t memory_max = 0;
    bool is_new = false;  // what its processes have read: those that run are replaced one by one
    queue::PoolTenants tenants = {};
    std::vector<queue::ReservedSlots> reserved = {};
  };
  std::vector<Pool> pools;                     // as many as there are
  std::vector<ProcessNumber> of_old_programs;  // whose program's file is another one now: replaced, too
  std::optional<std::vector<queue::DeclaredSchedule>> schedules = {};
  std::optional<std::vector<queue::DeclaredLimit>> limits = {};
};
// An operator asks, known by the uid of the process that asked. Nothing in place of a pool (an index in the settings): all of them.
// Claim nothing more, recall what has not started, and let go on what runs. As long as this dispatcher lives.
struct QuietAsked {
  std::optional<std::size_t> pool;
  std::int64_t uid = 0;
};
struct ResumeAsked {
  std::optional<std::size_t> pool;
  std::int64_t uid = 0;
};
// That one process takes nothing more and another one takes its place at once; ignored of one that does not take jobs.
struct DrainAsked {
  ProcessNumber process;
  std::int64_t uid = 0;
};
// That others take the places of all processes, one at a time in each pool.
struct RecycleAsked {
  std::optional<std::size_t> pool;
  std::int64_t uid = 0;
};
// Somebody wants to read in the log what each process does.
struct DescriptionAsked {};
struct StopAsked {
  enum class How : std::uint8_t {
    in_phases,  // running jobs have until the deadline
    at_once,    // the deadline is now
  };
  How how = How::in_phases;
};

using Event = std::variant<Started, TimePassed, WakeHinted, RoundDone, RoundFailed, WorkerReady,
                           AttemptsEnded, RunsTold, WorkerGone, Ponged, WorkerLeaving, Reconfigured,
                           QuietAsked, ResumeAsked, DrainAsked, RecycleAsked, DescriptionAsked, StopAsked>;

// --- Actions: what shall be done about it, in this order.

// One round is under way at a time; its answer is RoundDone or RoundFailed.
struct RunRound {
  // Never null, and nobody changes it: the dispatcher needs it again, to absorb the answer or to undo what it has asked.
  std::shared_ptr<const RoundWork> work;
};
struct StartProcess {
  ProcessNumber process;
  std::size_t pool = 0;  // index in the settings
};
struct Assign {
  ProcessNumber process;
  std::vector<queue::ClaimedJob> jobs;  // performed in this order
};
// Jobs that were assigned ahead and have not started come back as `not_started`.
struct Recall {
  ProcessNumber process;
  std::vector<queue::ClaimRef> jobs;
};
// Start nothing more, give back what has not started, end when the running jobs have ended.
struct Drain {
  ProcessNumber process;
};
// Give a running job its stop token, or with seq 0 all of them.
struct GiveStopToken {
  ProcessNumber process;
  queue::JobSeq seq = {};
  queue::StopReason reason = queue::StopReason::stop;
};
struct Ping {
  ProcessNumber process;
};
// Have it write what its slots do into the log.
struct Describe {
  ProcessNumber process;
};
// Rows of that outbox up to the watermark are jobs, on disk: the process, if it lives, may delete them.
struct AcknowledgeOutbox {
  ProcessNumber process;
  queue::OutboxOwner owner;
  queue::OutboxSeq watermark;
};
struct EndProcess {
  ProcessNumber process;
  enum class By : std::uint8_t { kill, abort };
  By by = By::kill;  // SIGKILL; or SIGABRT, for a core
};
// The latest moment at which TimePassed is due; replaces the one before.
struct WakeAt {
  Instant at;
};
// Something an operator should read; `event` is the stable word of the log line.
struct Note {
  enum class Level : std::uint8_t { info, warning, error };
  Level level = Level::info;
  std::string event;
  std::string message;
  std::string pool;
  ProcessNumber process;
  std::string kind = {};
  std::string queue = {};
};
// Everything has ended and every claim was given back: checkpoint and leave. Or: the store has failed as no retry heals, and a
// new start must see what is there.
struct Leave {
  std::optional<Failure> because;
};

// Nothing is claimed any more by a dispatcher before this one. Once.
struct FormerClaimsTaken {};

// The store has been read as far as is needed to claim. Once.
struct Serving {};

using Action = std::variant<RunRound, StartProcess, Assign, Recall, Drain, GiveStopToken, Ping, Describe,
                            AcknowledgeOutbox, EndProcess, WakeAt, Note, FormerClaimsTaken, Serving, Leave>;
using Actions = std::vector<Action>;

// Figures for status lines and metrics, from memory.
struct DispatcherStatus {
  std::int64_t slots = 0;
  std::int64_t busy = 0;   // performing
  std::int64_t ahead = 0;  // assigned ahead
  std::int64_t lanes = 0;
  std::int64_t parked = 0;   // lanes at a gate
  std::int64_t started = 0;  // since the start of the daemon
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;  // while they were claimed
  std::int64_t expired = 0;    // not started in time
  std::int64_t claims_lost = 0;
  std::int64_t reclaimed = 0;
  std::int64_t pools = 0;
  std::int64_t quiet_pools = 0;
  std::optional<Quiet> quiet = {};  // the first of these
};

// A lane that may hold a job to claim. Everything in it up to `after` is running, or was ended.
struct KnownLane {
  queue::Lane lane;
  std::optional<queue::LanePlace> after;
  std::vector<queue::JobReason> gates;  // by queue::gates_of()
  bool is_open = false;                 // to some process
};

class Machine;

class Dispatcher {
 public:
  explicit Dispatcher(DispatcherSettings settings);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  [[nodiscard]] Actions step(const Event& event, Now now);
  // The same; takes the claimed jobs out of the event instead of copying them.
  [[nodiscard]] Actions step(Event&& event, Now now);
  [[nodiscard]] DispatcherStatus status() const;
  // Pools, processes and what each holds.
  [[nodiscard]] CrewStatus crew() const;
  // Of a job with `ahead` others before it in its lane, in each pool that may perform it now; none where the lane is not open.
  [[nodiscard]] std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead, Instant now) const;
  // All of them, in order, for a comparison with what the store holds.
  [[nodiscard]] std::vector<KnownLane> known_lanes() const;
  // All that it remembers, for its journal.
  [[nodiscard]] const Machine& machine() const { return *machine_; }

 private:
  ThreadBound thread_{"Dispatcher"};
  std::unique_ptr<Machine> machine_;
};

}  // namespace tenure::daemon
