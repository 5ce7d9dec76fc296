#include "processes.hpp"

#include "last_moment.hpp"
#include "time_limits.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/line_limit.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::daemon {

using std::chrono::microseconds;

namespace {

constexpr int kNoPosition = -1;

// By then as much has ended in its other slots as may stand ahead of all of them.
bool is_long(const Process& process, microseconds usual) {
  return usual > kAheadPerSlot * static_cast<std::int64_t>(process.slots);
}

std::size_t unmoving_slots(const Process& process, Instant now, microseconds late_after) {
  std::size_t slots = 0;
  process.jobs.for_each_performing([&](const OutstandingJob& job, Instant since) {
    const microseconds usual{job.assumed_us};
    if (is_long(process, usual) || now - since > usual + late_after) ++slots;
  });
  return slots;
}

}  // namespace

std::size_t Process::free_slots() const {
  const std::size_t taken = jobs.size() + planned;
  return takes_jobs() && taken < slots ? slots - taken : 0;
}

std::size_t Process::room_ahead(microseconds usual) const {
  const std::size_t taken = jobs.size() + planned;
  const std::size_t ahead = taken > slots ? taken - slots : 0;
  const std::int64_t us_max =
      kAheadPerSlot.count() * static_cast<std::int64_t>(slots - std::min(slots, unmoving));
  const std::int64_t us_left = us_max - jobs.ahead_us() - planned_us;
  if (!takes_jobs() || ahead >= kAheadJobsMax || us_left <= 0 || jobs.bytes() >= kAheadBytesMax) return 0;
  return std::min(kAheadJobsMax - ahead, static_cast<std::size_t>(us_left / usual.count()));
}

void Process::plan(std::size_t count, microseconds usual) {
  const std::size_t at_once = std::min(count, free_slots());
  const std::size_t ahead = count - at_once;
  planned += count;
  if (is_long(*this, usual)) unmoving += at_once;
  planned_us += static_cast<std::int64_t>(ahead) * usual.count();
}

std::int64_t Process::ahead_us_max(Instant now, microseconds late_after) const {
  return kAheadPerSlot.count() * static_cast<std::int64_t>(slots - unmoving_slots(*this, now, late_after));
}

void Process::begin_plan(Instant now) { unmoving = unmoving_slots(*this, now, kLateAfter); }

void Process::assigned(const queue::ClaimedJob& job, std::int64_t usual_us, Instant now) {
  const microseconds time_limit = time_limits.of(job.kind);
  jobs.add({{job.seq, job.token},
            job.id,
            OutstandingTenant{job.tenant ? job.tenant->text() : std::string_view{}},
            job.lane,
            job.place,
            usual_us,
            job.envelope.size() + job.cursor.size(),
            job.failures,
            job.attempts_max,
            job.crashes,
            job.releases,
            time_limit,
            false,
            false,
            job.capture,
            job.start_before,
            queue::failures_without_rule(job.history, job.failures)},
           now);
  if (time_limit.count() > 0) limit_checked_by(now + token_time(time_limit));
  TENURE_INVARIANT(jobs.size() <= slots + (alone ? 0 : kAheadJobsMax));
}

std::chrono::milliseconds restart_wait(int quick_deaths) {
  std::chrono::milliseconds wait = kRestartWaitMin;
  for (int death = 1; death < quick_deaths && wait < kRestartWaitMax; ++death) wait *= 2;
  return std::min(wait, kRestartWaitMax);
}

Processes::Processes(const DispatcherSettings& settings)
    : quiet_(settings.pools.size()), ping_max_(settings.ping_max) {
  for (std::size_t pool = 0; pool < settings.pools.size(); ++pool) {
    pool_names_.push_back(settings.pools[pool].name);
    for (int position = 0; position < settings.pools[pool].processes; ++position) {
      positions_.push_back({.pool = pool, .position = position});
    }
  }
}

void Processes::start_all(Instant now, Actions& actions) {
  for (Position& position : positions_) start(position, now, actions);
}

void Processes::start(Position& position, Instant now, Actions& actions) {
  position.restart.reset();
  Process& process =
      add(position.pool, fmt::format("{}.{}", pool_names_[position.pool], position.position), now, actions);
  process.position = position.position;
}

ProcessNumber Processes::start_for_suspect(const Alone& alone, Instant now, Actions& actions) {
  Process& process = add(alone.pool, pool_names_[alone.pool] + ".suspect", now, actions);
  process.position = kNoPosition;
  process.alone = alone;
  process.is_replaced = true;
  return process.number;
}

Process& Processes::add(std::size_t pool, std::string name, Instant now, Actions& actions) {
  ++last_.value;
  Process process;
  process.number = last_;
  process.pool = pool;
  process.name = std::move(name);
  process.started = now;
  process.is_quiet = quiet_[pool];
  actions.emplace_back(StartProcess{last_, pool});
  return processes_.emplace(last_, std::move(process)).first->second;
}

bool Processes::ready(const WorkerReady& event, Instant now) {
  Process* const process = find(event.process);
  if (process == nullptr || process->phase != Phase::starting) return false;
  process->phase = Phase::ready;
  process->pid = event.pid;
  process->slots = process->alone ? 1 : static_cast<std::size_t>(std::max(1, event.slots));
  process->jobs = Outstanding{process->slots};
  process->time_limits = event.time_limits;
  process->ready = now;
  process->next_ping = now + ping_max_ / kPingsPerBound;
  return true;
}

void Processes::ponged(const Ponged& event) {
  Process* const process = find(event.process);
  if (process == nullptr) return;
  process->unanswered_since.reset();
  process->memory = event.memory;
}

void Processes::set_quiet(std::size_t pool, bool is_quiet) {
  quiet_[pool] = is_quiet;
  for (auto& [number, process] : processes_)
    if (process.pool == pool) process.is_quiet = is_quiet;
}

std::optional<Process> Processes::gone(const WorkerGone& event, Instant now, Actions& actions) {
  const auto entry = processes_.find(event.process);
  if (entry == processes_.end()) return std::nullopt;
  Process dead = std::move(entry->second);
  processes_.erase(entry);
  if (!dead.alone) plan_restart(position_of(dead), dead, event, now, actions);
  return dead;
}

void Processes::plan_restart(Position& position, Process& dead, const WorkerGone& gone, Instant now,
                             Actions& actions) {
  if (!restarts_ || position.is_closed || has_successor(dead)) return;
  // A process that a job took along is replaced at once, or one job could make its whole pool wait; trouble is not over at once.
  const bool was_taken_along = LastMoment(dead, gone).begun() > 0 && !gone.is_in_trouble;
  const bool program_works = dead.ready && (was_taken_along || now - *dead.ready > kQuickDeath);
  if (program_works) {
    position.quick_deaths = 0;
    position.restart = now;
    return;
  }
  const auto wait = restart_wait(++position.quick_deaths);
  position.restart = now + wait;
  dead.is_delay_told = true;
  note_delay(dead, gone, wait, 0, actions);
}

void Processes::note_delay(const Process& dead, const WorkerGone& gone, std::chrono::milliseconds wait,
                           std::int64_t left_out, Actions& actions) const {
  actions.emplace_back(Note{Note::Level::warning, "worker.restart_delayed",
                            fmt::format("The worker program ended {} ({}); the next start is in {} ms{}.",
                                        dead.ready ? "soon after its hello" : "before its hello", gone.cause,
                                        wait.count(), left_out_text(left_out)),
                            pool_names_[dead.pool], dead.number});
}

void Processes::tick(Instant now, Actions& actions) {
  for (auto& [number, process] : processes_) watch(process, now, actions);
  for (Position& position : positions_) {
    if (position.restart && *position.restart <= now) start(position, now, actions);
  }
}

// No answer for the bound: SIGABRT for a core, then SIGKILL. A process that never said hello is held to the same bound.
void Processes::watch(Process& process, Instant now, Actions& actions) const {
  if (process.aborted) {
    if (process.was_killed || now < *process.aborted + kAbortWait) return;
    process.was_killed = true;
    actions.emplace_back(EndProcess{process.number});
    return;
  }
  const std::optional<Instant> silent_since = process.ready ? process.unanswered_since : process.started;
  if (silent_since && now - *silent_since >= ping_max_) {
    process.aborted = now;
    actions.emplace_back(
        Note{Note::Level::warning, "worker.hung",
             fmt::format("The worker process has not {} for {} ms and is aborted.",
                         process.ready ? "answered a ping" : "said hello",
                         std::chrono::duration_cast<std::chrono::milliseconds>(ping_max_).count()),
             pool_names_[process.pool], process.number});
    actions.emplace_back(EndProcess{process.number, EndProcess::By::abort});
    return;
  }
  if (!process.ready || now < process.next_ping) return;
  process.next_ping = now + ping_max_ / kPingsPerBound;
  if (!process.unanswered_since) process.unanswered_since = now;
  actions.emplace_back(Ping{process.number});
}

Instant Processes::next_watch(const Process& process) const {
  Instant watched = next_sign_of_life(process);
  if (process.limit_check && !process.is_ending()) watched = std::min(watched, *process.limit_check);
  return process.late_check ? std::min(watched, *process.late_check) : watched;
}

Instant Processes::next_sign_of_life(const Process& process) const {
  if (process.was_killed) return {microseconds::max()};
  if (process.aborted) return *process.aborted + kAbortWait;
  if (!process.ready) return process.started + ping_max_;
  if (!process.unanswered_since) return process.next_ping;
  return std::min(process.next_ping, *process.unanswered_since + ping_max_);
}

std::optional<Instant> Processes::next_at() const {
  Instant next{microseconds::max()};
  for (const auto& [number, process] : processes_) next = std::min(next, next_watch(process));
  for (const Position& position : positions_) {
    if (position.restart) next = std::min(next, *position.restart);
  }
  if (next.since_start == microseconds::max()) return std::nullopt;
  return next;
}

void Processes::end_restarts() {
  restarts_ = false;
  for (Position& position : positions_) position.restart.reset();
}

// A process of the same place that is to stay, or the start of one.
bool Processes::has_successor(const Process& process) const {
  const auto is_in_place = [&](const auto& other) {
    return other.pool == process.pool && other.position == process.position;
  };
  return std::ranges::any_of(
             processes_,
             [&](const auto& entry) { return is_in_place(entry.second) && !entry.second.is_replaced; }) ||
         (process.is_replaced && std::ranges::any_of(positions_, [&](const Position& position) {
            return is_in_place(position) && position.restart;
          }));
}

void Processes::start_successor(Process& former, Instant now, Actions& actions) {
  former.is_replaced = true;
  Position& position = position_of(former);
  if (restarts_ && !position.is_closed && !has_successor(former)) start(position, now, actions);
}

void Processes::drain(Process& process, Actions& actions) {
  if (process.phase == Phase::starting) {
    process.was_ended_by_stop = true;
    actions.emplace_back(EndProcess{process.number});
  } else if (process.phase == Phase::ready) {
    actions.emplace_back(Drain{process.number});
  }
  process.phase = Phase::leaving;
}

void Processes::reconfigure(const Reconfigured& settings, Instant now, Actions& actions) {
  ping_max_ = settings.ping_max;
  TENURE_INVARIANT(settings.pools.size() == pool_names_.size());
  for (std::size_t pool = 0; pool < settings.pools.size(); ++pool) {
    for (int position = 0; position < settings.pools[pool].processes; ++position)
      open_place(pool, position, now, actions);
  }
  for (Position& place : positions_) {
    if (place.position >= settings.pools[place.pool].processes) close_place(place, actions);
  }
}

void Processes::open_place(std::size_t pool, int position, Instant now, Actions& actions) {
  const auto known = std::ranges::find_if(
      positions_, [&](const Position& place) { return place.pool == pool && place.position == position; });
  if (known != positions_.end() && !known->is_closed) return;
  Position& place = known != positions_.end()
                        ? *known
                        : positions_.emplace_back(Position{.pool = pool, .position = position});
  place.is_closed = false;
  place.quick_deaths = 0;
  start(place, now, actions);
}

void Processes::close_place(Position& place, Actions& actions) {
  place.is_closed = true;
  place.restart.reset();
  for (auto& [number, process] : processes_) {
    if (process.pool != place.pool || process.position != place.position) continue;
    process.is_replaced = true;
    drain(process, actions);
  }
}

Process* Processes::find(ProcessNumber number) {
  const auto entry = processes_.find(number);
  return entry == processes_.end() ? nullptr : &entry->second;
}

std::int64_t Processes::ahead_us(std::size_t pool) const {
  std::int64_t us = 0;
  for (const auto& [number, process] : processes_) us += process.pool == pool ? process.jobs.ahead_us() : 0;
  return us;
}

bool Processes::hold_any() const {
  return std::ranges::any_of(processes_, [](const auto& entry) { return entry.second.jobs.size() > 0; });
}

bool Processes::is_outstanding(queue::JobSeq seq) const {
  return std::any_of(processes_.begin(), processes_.end(),
                     [&](const auto& entry) { return entry.second.jobs.contains(seq); });
}

void Processes::begin_plans(Instant now) {
  for (auto& [number, process] : processes_) process.begin_plan(now);
}

void Processes::forget_plans() {
  for (auto& [number, process] : processes_) {
    process.planned = 0;
    process.has_request = false;
    process.planned_us = 0;
  }
}

Processes::Position& Processes::position_of(const Process& process) {
  return *std::find_if(positions_.begin(), positions_.end(), [&](const Position& position) {
    return position.pool == process.pool && position.position == process.position;
  });
}

}  // namespace tenure::daemon
