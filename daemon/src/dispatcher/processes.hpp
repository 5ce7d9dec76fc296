#pragma once

#include "outstanding.hpp"
#include "recent_tenants.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// The worker processes as the dispatcher sees them: what they hold, whether they answer, when a new one is started.
namespace tenure::daemon {

// Usual run time that may be assigned ahead of each busy slot, so that a worker finds its next job without a round trip.
inline constexpr std::chrono::microseconds kAheadPerSlot{2000};
// A job is late where it is over its usual run time by more than this; while jobs are assigned ahead that is looked at once in
// kLateCheck. Both together are under 10 ms.
inline constexpr std::chrono::microseconds kLateAfter{4000};
inline constexpr std::chrono::microseconds kLateCheck{4000};
// The same while a process has a free slot and nothing to claim.
inline constexpr std::chrono::microseconds kLateForIdle{1000};
inline constexpr std::size_t kAheadJobsMax = 512;  // per process, however short they are
inline constexpr std::size_t kAheadBytesMax =
    8U << 20U;  // of envelopes in a process from which nothing more is sent ahead
inline constexpr std::chrono::milliseconds kQuickDeath{
    1000};  // after its hello, without a job: such a program is broken
inline constexpr std::chrono::milliseconds kRestartWaitMin{250};
inline constexpr std::chrono::milliseconds kRestartWaitMax{10'000};
inline constexpr int kPingsPerBound = 6;
inline constexpr std::chrono::milliseconds kAbortWait{1000};  // from SIGABRT to SIGKILL: time to write a core

struct Process {
  ProcessNumber number;
  std::size_t pool = 0;
  int position = 0;      // in the pool, kept by its successors; none of one for a suspect
  std::string name;      // for whoever reads of it: "general.0"
  std::int64_t pid = 0;  // once it is ready
  // Started beside the others for one job that is performed alone in it; nobody takes its place.
  std::optional<Alone> alone;
  std::size_t offer = 0;  // the set of kinds that its hello named (Lanes); meaningless while starting
  Phase phase = Phase::starting;
  std::size_t slots = 1;
  Instant started;
  std::optional<Instant> ready;
  Outstanding jobs{1};
  // Claims that are under way for it.
  std::size_t planned = 0;
  std::int64_t planned_us = 0;  // of those beyond its slots
  bool has_request = false;
  std::size_t unmoving = 0;  // slots that will not be free soon, as of the plan that is being made
  RecentTenants recent_tenants;

  TimeLimits time_limits;
  std::optional<Instant> limit_check;  // when a job of it may have come to its token or to its limit
  struct Told {
    queue::ClaimRef claim;  // of this run: a job that obeys comes back under another one
    Instant at;
    bool is_noted = false;
  };
  std::vector<Told> told_of_limit;       // performing, with their token
  std::vector<queue::JobSeq> timed_out;  // for whose time limit it is ended

  std::optional<Instant> late_check;  // while jobs are assigned ahead
  Instant next_ping;
  std::optional<Instant> unanswered_since;
  std::optional<Instant> aborted;
  bool was_killed = false;  // after an abort
  bool was_ended_by_stop = false;
  bool is_replaced = false;    // a successor takes its place, or nobody: its end starts none
  bool is_delay_told = false;  // of the next start in its place, with how this one ended
  bool is_quiet = false;       // as its pool is
  std::int64_t performed = 0;  // jobs that have ended in it
  std::int64_t memory = 0;     // bytes, resident, as of its last pong; 0: not known

  // Of any lane.
  [[nodiscard]] bool takes_jobs() const { return phase == Phase::ready && !alone && !is_quiet; }
  [[nodiscard]] std::size_t free_slots() const;
  // How many more jobs of that usual run time it may be assigned ahead.
  [[nodiscard]] std::size_t room_ahead(std::chrono::microseconds usual) const;
  // Usual run time that may stand ahead now: nothing behind a slot whose job is long, or late by more than `late_after`.
  [[nodiscard]] std::int64_t ahead_us_max(Instant now, std::chrono::microseconds late_after) const;
  // It is being ended by us.
  [[nodiscard]] bool is_ending() const { return was_ended_by_stop || aborted || !timed_out.empty(); }
  // Has its time limits looked at by then.
  void limit_checked_by(Instant moment) {
    limit_check = limit_check ? std::min(*limit_check, moment) : moment;
  }
  void begin_plan(Instant now);
  // Claimed for it: it is outstanding from now on. `usual_us` is what its tenant is charged.
  void assigned(const queue::ClaimedJob& job, std::int64_t usual_us, Instant now);
  void plan(std::size_t count, std::chrono::microseconds usual);
};

class Processes {
 public:
  explicit Processes(const DispatcherSettings& settings);

  void start_all(Instant now, Actions& actions);
  // One more than the pool has, for a job that is performed alone.
  [[nodiscard]] ProcessNumber start_for_suspect(const Alone& alone, Instant now, Actions& actions);
  // The hello of a process; false where it is not awaited.
  [[nodiscard]] bool ready(const WorkerReady& event, Instant now);
  void ponged(const Ponged& event);
  // Takes it out of the table and plans its successor. Nothing where it is not known.
  [[nodiscard]] std::optional<Process> gone(const WorkerGone& event, Instant now, Actions& actions);
  // Pings, aborts, kills and restarts that are due.
  void tick(Instant now, Actions& actions);
  // The next moment at which tick() has something to do.
  [[nodiscard]] std::optional<Instant> next_at() const;
  // Tells why the program that ended is started again only after `wait`, and how many such lines were left out before.
  void note_delay(const Process& dead, const WorkerGone& gone, std::chrono::milliseconds wait,
                  std::int64_t left_out, Actions& actions) const;
  // From now on the dead stay dead.
  void end_restarts();

  // Another process for the place of this one, which goes on meanwhile and is not started again.
  void start_successor(Process& former, Instant now, Actions& actions);
  // It takes nothing more, gives back what has not started, and ends when the rest has ended. One that has not said hello holds nothing
  // and is ended.
  static void drain(Process& process, Actions& actions);
  // Times and numbers of processes as they are from now on: places that are new get a process, the processes of those that are gone
  // are drained.
  void reconfigure(const Reconfigured& settings, Instant now, Actions& actions);

  // Whether processes of the pool take jobs, those too that start from now on.
  void set_quiet(std::size_t pool, bool is_quiet);
  [[nodiscard]] bool is_quiet(std::size_t pool) const { return quiet_[pool]; }

  [[nodiscard]] std::size_t pools() const { return quiet_.size(); }
  [[nodiscard]] Process* find(ProcessNumber number);
  // In the order of their numbers.
  [[nodiscard]] std::map<ProcessNumber, Process>& all() { return processes_; }
  [[nodiscard]] const std::map<ProcessNumber, Process>& all() const { return processes_; }
  // Whether any process holds a job.
  [[nodiscard]] bool hold_any() const;
  // Whether any process holds that job.
  [[nodiscard]] bool is_outstanding(queue::JobSeq seq) const;
  // The usual run time of all jobs of the pool that are assigned ahead.
  [[nodiscard]] std::int64_t ahead_us(std::size_t pool) const;
  void begin_plans(Instant now);
  void forget_plans();

 private:
  struct Position {
    std::size_t pool = 0;
    int position = 0;
    int quick_deaths = 0;
    std::optional<Instant> restart;
    bool is_closed = false;  // by a reload: nothing is started here
  };
  void start(Position& position, Instant now, Actions& actions);
  Process& add(std::size_t pool, std::string name, Instant now, Actions& actions);
  void plan_restart(Position& position, Process& dead, const WorkerGone& gone, Instant now, Actions& actions);
  void watch(Process& process, Instant now, Actions& actions) const;
  [[nodiscard]] Instant next_watch(const Process& process) const;
  [[nodiscard]] Instant next_sign_of_life(const Process& process) const;
  [[nodiscard]] Position& position_of(const Process& process);
  [[nodiscard]] bool has_successor(const Process& process) const;
  void open_place(std::size_t pool, int position, Instant now, Actions& actions);
  void close_place(Position& place, Actions& actions);

  std::vector<std::string> pool_names_;
  std::vector<bool> quiet_;  // of each pool
  std::vector<Position> positions_;
  std::map<ProcessNumber, Process> processes_;
  std::chrono::microseconds ping_max_;
  ProcessNumber last_{0};
  bool restarts_ = true;

  TENURE_REMEMBERS(pool_names, quiet, positions, processes, ping_max, last, restarts)
};

// The wait before the start after so many quick deaths in a row.
[[nodiscard]] std::chrono::milliseconds restart_wait(int quick_deaths);

}  // namespace tenure::daemon
