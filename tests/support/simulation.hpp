#pragma once

#include "simulated_outboxes.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <journal/journal.hpp>
#include <map>
#include <memory>
#include <optional>
#include <protocol/daemon_end.hpp>
#include <protocol/worker_end.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A whole daemon on virtual time: the real dispatcher and the real rounds on a given store, with worker processes that are played
// behind both real ends of the worker protocol.
// One seed, one course of events. It can fail rounds, lose hints, kill and hang workers, and end the dispatcher between any
// two steps and start another on the same store. It judges safety throughout; verdict() is for after the quiet phase.
// Threads: one.
namespace tenure::simulation {

using daemon::ProcessNumber;
using queue::JobId;
using std::chrono::microseconds;

inline constexpr queue::ProcessExit kKilled{queue::ProcessExit::By::signal, 9};
inline constexpr queue::ProcessExit kSegmentationFault{queue::ProcessExit::By::signal, 11};

// What a worker does with a job.
struct Performance {
  microseconds run_time{1000};
  daemon::RunResult result = daemon::RunResult::succeeded;
  queue::AttemptFailure failure = {};
  std::optional<queue::RunDecision> decision = std::nullopt;  // of one that failed
  bool obeys_stop_token = false;
  bool kills_process = false;
  bool is_named = false;  // by the slot board, as who killed it
  bool kills_dispatcher = false;
  std::optional<Failure> capsule_failure = std::nullopt;  // where its run is captured
  int enqueues =
      0;  // so many jobs in its tenant's database, at the end of its run time and before whatever comes then
};

struct Options {
  std::uint64_t seed = 1;
  daemon::DispatcherSettings settings;
  int slots = 2;                             // of each process
  microseconds time_limit{0};                // of each run; 0: none
  std::vector<std::string> kinds{"job"};     // what the worker program performs
  std::uint32_t schema = 0;                  // it wants exactly so many migrations of tenants, for all kinds
  bool migrates = false;                     // and whether it migrates tenants when they are touched
  std::vector<std::string> reads_only = {};  // which of its kinds only read
  std::string default_queue = "default";     // of all of them
  microseconds round_time{40};
  microseconds start_time{5000};  // from exec to hello
  microseconds frame_time{5};     // one way
  microseconds report_time{0};    // ends of a process within it are one report
  bool keeps_board = true;        // the worker program; not one of an older version
  bool compares_lanes = false;    // with a full scan after each round that looked: slow
  bool knows_ticks = true;        // what schedules make is judged; looks at every job behind each tick
  std::size_t journal_bytes = 4UL << 20U;  // of the journal of each dispatcher; 0: none is kept
  std::function<Performance(const queue::ClaimedJob&)> perform = [](const auto&) { return Performance{}; };
  std::function<bool(ProcessNumber)> starts = [](ProcessNumber) { return true; };
};

struct Faults {
  std::int64_t rounds_failed = 0;
  std::int64_t workers_killed = 0;
  std::int64_t workers_crashed = 0;  // of those, by a job that the board names
  std::int64_t workers_hung = 0;
  std::int64_t workers_garbled = 0;  // said what no worker may say
  std::int64_t workers_told = 0;     // to end, by somebody else than the daemon
  std::int64_t reloads = 0;
  std::int64_t dispatchers_crashed = 0;
  std::int64_t rounds_cut = 0;  // done, and the dispatcher ended before it heard of it
  std::int64_t hints_lost = 0;
  std::int64_t clock_jumps = 0;
  std::int64_t cancels = 0;            // by an operator
  std::int64_t expiries = 0;           // of jobs that had been claimed
  std::int64_t met_older_tenants = 0;  // by a worker process
  std::int64_t met_newer_tenants = 0;
  std::int64_t migrations = 0;
};

struct Verdict {
  std::int64_t attempted = 0;
  std::int64_t acknowledged = 0;
  std::int64_t lost = 0;        // acknowledged and not in the store
  std::int64_t unexpected = 0;  // in the store and never enqueued
  std::int64_t duplicated = 0;  // performed at two places at once, or again after it was stored as ended
  std::int64_t stuck = 0;       // in no final state
  std::int64_t claims_left = 0;
  std::int64_t ticks_again = 0;    // that fired twice
  std::int64_t not_cancelled = 0;  // cancelled, and started again, or ended neither so nor in success
  std::int64_t expired_late = 0;   // discarded as not started in time, and had started or was in time
  std::int64_t overrun = 0;        // performed beside as many as may have its concurrency key
  std::int64_t over_limit = 0;     // claimed though a limit had no room for it
  std::int64_t wrong_pool = 0;     // claimed for a pool that does not take its tenant
  std::int64_t doubled = 0;        // made though another job had its unique key
  std::int64_t batches_wrong =
      0;  // counted otherwise than their members say, or not complete when these have ended
  [[nodiscard]] bool is_clean() const {
    return lost + unexpected + duplicated + stuck + claims_left + ticks_again + not_cancelled + expired_late +
               overrun + over_limit + wrong_pool + doubled + batches_wrong ==
           0;
  }
};

struct Start {
  Instant at;
  JobId id;
  std::string tenant;
  std::string kind;
  queue::QueueNumber queue;
  queue::Priority priority;
  ProcessNumber process;
  queue::ClaimToken token;
};

struct JobSpec {
  std::string tenant = {};  // "" for untenanted
  std::string queue = "default";
  std::string kind = "job";
  int priority = 0;
  microseconds due_in{0};
  int attempts_max = 10;
  std::optional<microseconds> start_within = {};  // from its enqueue on
  std::optional<ConcurrencyKey> concurrency = {};
  std::optional<UniqueKey> unique = {};
  std::optional<BatchId> batch = {};
};

class Simulation {
 public:
  // `store` must outlive it and be empty.
  Simulation(queue::Store& store, Options options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // --- The outside.
  void start();
  // Another daemon on the same store, which cannot end its worker processes by themselves.
  void start_by_hand() {
    options_.settings.can_end_processes = false;
    start();
  }
  void create_tenant(const std::string& name, bool is_active = true);
  void activate_tenant(const std::string& name);
  JobId enqueue(const JobSpec& spec, bool hint = true);
  std::vector<JobId> enqueue_many(const JobSpec& spec, std::size_t count, bool hint = true);
  // What it makes is performed as every other job, and is of the kind and in the queue that are given.
  BatchId open_batch(const std::string& tenant, const std::string& kind, const std::string& queue,
                     microseconds run_in = {});
  void close_batch(BatchId id, bool hint = true);
  // A job of that kind for each tenant, in the queue "default"; what it makes in the end is of the same kind.
  BatchId start_fan_out(const std::string& kind, microseconds window = {},
                        const std::optional<StartRate>& rate = {}, bool hint = true);
  void cancel_fan_out(BatchId id, bool hint = true);
  // What they allow now; to be called behind each change, of which a dispatcher may have known though no claim was made by it.
  std::vector<queue::LimitRecord> note_limits();
  void hint(const std::optional<queue::Lane>& lane = {});
  // By an operator: what waits ends at once, what runs is asked to stop, what has ended stays.
  void cancel(JobId id, bool hint = true);
  void stop(daemon::StopAsked::How how = daemon::StopAsked::How::in_phases);
  // Of the worker program, from the next start of a process on.
  void set_kinds(std::vector<std::string> kinds) { options_.kinds = std::move(kinds); }
  void set_schema(std::uint32_t schema) { options_.schema = schema; }
  // The tenant's database has had so many migrations, 0 before the first call; an operator's, so that its jobs are tried.
  void migrate_tenant(const std::string& name, std::int64_t schema, bool hint = true);

  // --- Faults.
  void kill_worker(ProcessNumber process, const queue::ProcessExit& exit = kKilled);
  void hang_worker(ProcessNumber process);
  // Somebody looks into the files that are marked.
  void sweep_outboxes();
  // SIGTERM to it alone.
  void tell_worker_to_end(ProcessNumber process);
  // The configuration was read again: so many processes in each pool, `is_new` for each.
  void reload(int processes, bool is_new);
  void reload(const daemon::Reconfigured& settings);
  // An operator asks: an event of the control socket.
  void ask(const daemon::Event& event) { step(event); }
  // The memory of all processes from now on, as the daemon sees it behind a ping.
  void set_memory(std::int64_t bytes) { memory_ = bytes; }
  // From now on whoever kills a process may be the kernel, for want of memory.
  void lack_memory(bool lacks) { lacks_memory_ = lacks; }
  // Its next bytes are these, whole; they break its stream.
  void garble_worker(ProcessNumber process, std::string_view bytes);
  void fail_next_rounds(int count) { rounds_to_fail_ += count; }
  [[nodiscard]] int rounds_to_fail() const { return rounds_to_fail_; }
  // Its workers die with it, as the kernel sees to; start() begins the next one. `workers_survive` is for control runs.
  void crash_dispatcher(bool workers_survive = false);
  // The machine goes down with it.
  void reboot() {
    crash_dispatcher();
    options_.settings.former_died = false;
  }
  // For control runs: rounds that are reported as failed though they were done.
  void fail_next_rounds_after_the_commit(int count) { rounds_to_deny_ += count; }
  void jump_wall(microseconds by);
  void lost_hint() { ++faults.hints_lost; }

  // --- Time.
  // The next event; false where nothing will ever happen any more.
  bool run_one();
  void run_for(microseconds time);
  // Until `done` holds, at most so long; false at the bound.
  bool run_until(const std::function<bool()>& done, microseconds bound);
  [[nodiscard]] Instant now() const { return clock_.steady(); }
  [[nodiscard]] WallTime wall() const { return clock_.wall(); }

  // --- What happened.
  [[nodiscard]] queue::JobRecord job(JobId id) const;
  [[nodiscard]] std::int64_t count(queue::ShownState state) const;
  [[nodiscard]] Verdict verdict() const;
  [[nodiscard]] std::string verdict_line() const;
  // The options, all that decide how it goes on, as text.
  [[nodiscard]] std::string options_text() const;
  // Writes what each dispatcher's journal holds into the folder, "NAME-life-1.journal" and so on, and tells of seed, options and
  // how they are replayed. Where a test has failed this is done when the simulation ends, once a test.
  [[nodiscard]] std::string write_journals(const std::filesystem::path& folder,
                                           const std::string& name) const;
  [[nodiscard]] std::vector<ProcessNumber> live_workers() const;
  [[nodiscard]] std::int64_t running() const;
  // Every job that was enqueued is in a final state in the store.
  [[nodiscard]] bool is_idle() const { return ended_ == acknowledged_.size(); }
  [[nodiscard]] bool has_left() const { return has_left_; }
  [[nodiscard]] bool is_up() const { return dispatcher_ != nullptr; }
  [[nodiscard]] daemon::Dispatcher& dispatcher() { return *dispatcher_; }
  // As the dispatcher got them.
  [[nodiscard]] const daemon::DispatcherSettings& settings() const { return options_.settings; }
  [[nodiscard]] microseconds slot_time(const std::string& tenant) const;
  // Jobs that could be claimed and that no lane of the dispatcher would have led to, over all rounds that looked; counted
  // only with Options::compares_lanes.
  [[nodiscard]] std::int64_t lanes_missed() const { return lanes_missed_; }
  [[nodiscard]] std::int64_t lanes_compared() const { return lanes_compared_; }

  std::vector<Start> starts;
  std::vector<daemon::Note> notes;
  std::vector<std::pair<Instant, daemon::Action>>
      control;  // Drain, GiveStopToken, EndProcess, Recall, StartProcess, Leave
  std::function<void(const daemon::Event&, const daemon::Actions&)> on_step;
  std::vector<std::unique_ptr<daemon::journal::Journal>> journals;  // of each dispatcher there was, in order
  SimulatedOutboxes outboxes;
  Faults faults;
  std::int64_t performing_max = 0;
  std::int64_t limited_claims = 0;       // that a rate has counted
  std::int64_t keyed_beside_others = 0;  // starts while as many as may had the key with it
  std::int64_t rounds = 0;
  std::int64_t callbacks = 0;  // that batches have made

 private:
  struct Worker;
  void at(microseconds in, std::function<void()> what);
  // Only while the dispatcher of now lives.
  void at_in_this_life(microseconds in, std::function<void()> what);
  void step(const daemon::Event& event);
  void tell_if_failed() const;
  void carry_out(const daemon::Action& action);
  void run_round(const daemon::RunRound& action);
  void start_process(const daemon::StartProcess& action);
  void assign(const daemon::Assign& action);
  void ask(ProcessNumber number, FunctionRef<void(daemon::DaemonEnd&)> what);
  void say(Worker& process);
  void hear(ProcessNumber number);
  void heard(ProcessNumber number, std::string_view bytes);
  void carry_out(Worker& process, daemon::WorkerEnd::Actions actions);
  void wake_at(Instant moment);
  // Where the tenant has had other migrations than the process wants.
  [[nodiscard]] std::optional<ErrorCode> refusal_for_schema(const Worker& process,
                                                            const queue::ClaimedJob& job);
  void begin(Worker& process, const daemon::WorkerEnd::Perform& work);
  void obey_stop_tokens(Worker& process);
  void enqueue_in_tenant(Worker& process, const queue::ClaimedJob& job, int count);
  void job_ended(Worker& process, queue::JobSeq seq, const Performance& performance);
  queue::JobResult migrated(const Worker& process, const queue::ClaimedJob& job);
  void kill(Worker& process, const queue::ProcessExit& exit, std::optional<queue::ClaimRef> crashed);
  void gone(Worker& process, const queue::ProcessExit& exit, microseconds in,
            std::optional<queue::ClaimRef> crashed = {});
  void enqueued(const queue::NewJob& job, const queue::Enqueued& answer);
  void note_start_of_key(JobId id);
  void note_stored(const daemon::RoundWork& work, const daemon::RoundReply& reply);
  // `pools`: whose jobs each took when the round was asked for.
  void note_pools(const std::vector<queue::PoolTenants>& pools, const daemon::RoundWork& work,
                  const daemon::RoundReply& reply);
  void note_pool(const std::vector<queue::PoolTenants>& pools, ProcessNumber process,
                 const std::vector<queue::ClaimedJob>& jobs);
  void note_ticks(const daemon::TicksPart::Ask& ask, const daemon::TicksPart::Answer& answer);
  void note_visits(const daemon::VisitsPart::Ask& ask, const daemon::VisitsPart::Answer& answer);
  void note_all_jobs(std::int64_t new_jobs);
  // What batches have made is known by nobody but the store.
  void note_callbacks();
  void note_end(const daemon::ClaimEnd& end, const Result<queue::JobState>& state);
  void note_migrations();
  [[nodiscard]] std::vector<queue::JobArrival> claimable() const;
  void compare_lanes(const std::vector<queue::JobArrival>& expected);
  // Called when its claim is stored, before the next one of the same commit is.
  void note_limited_claims(const std::vector<queue::ClaimedJob>& jobs);
  [[nodiscard]] Worker* worker(ProcessNumber number) const;

  queue::Store& store_;
  Options options_;
  VirtualClock clock_;
  Random random_;
  UuidGenerator ids_;
  std::unique_ptr<daemon::Dispatcher> dispatcher_;
  std::int64_t life_ = 0;
  bool has_left_ = false;
  bool has_taken_claims_ = false;  // of former lives, in this one
  int rounds_to_fail_ = 0;
  int rounds_to_deny_ = 0;
  std::int64_t wake_number_ = 0;
  std::uint64_t event_number_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
  std::map<ProcessNumber, std::unique_ptr<Worker>> workers_;
  std::set<JobId> attempted_, acknowledged_;
  std::map<JobId, WallTime> start_before_;
  std::set<JobId> started_;
  std::set<std::pair<std::string, WallTime>> fired_;             // of global schedules
  std::map<JobId, std::optional<queue::ClaimToken>> cancelled_;  // with the claim that they had then
  std::map<queue::JobSeq, JobId> performing_;
  struct Keyed {
    std::string key;  // and whose it is
    int running_max = 1;
  };
  std::map<JobId, Keyed> keyed_;
  std::map<std::string, JobId> unique_;  // who has got each key last
  std::int64_t overrun_ = 0, doubled_ = 0, over_limit_ = 0, wrong_pool_ = 0;
  std::map<ProcessNumber, std::size_t> pool_of_;  // of this life
  // Of each limit the widest bounds that it has ever had, since one that is changed holds from the next look on.
  std::map<queue::LimitNumber, queue::LimitBounds> limit_bounds_;
  std::map<queue::LimitGroup, std::vector<Instant>> limited_starts_;
  std::map<std::string, std::int64_t> schemas_;  // of tenants
  std::set<BatchId> batches_;                    // that were opened
  std::set<BatchId> unsettled_;                  // of which a callback may come yet
  std::set<JobId> cancelled_by_fan_outs_;
  std::set<queue::JobSeq> claimed_, succeeded_;
  std::map<std::string, microseconds> slot_time_;
  std::size_t ended_ = 0;
  std::int64_t duplicated_ = 0;
  std::int64_t ticks_again_ = 0;
  std::int64_t started_again_ = 0;  // of cancelled jobs
  std::int64_t lanes_missed_ = 0;
  std::int64_t lanes_compared_ = 0;
  std::int64_t memory_ = 0;
  bool lacks_memory_ = false;
};

}  // namespace tenure::simulation
