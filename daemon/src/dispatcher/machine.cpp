#include "machine.hpp"

#include "last_moment.hpp"
#include "recall.hpp"
#include "time_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {
namespace {

// The one whose crash it was.
std::optional<OutstandingJob> named_job(const Process& dead, const LastMoment& moment) {
  std::optional<OutstandingJob> named;
  dead.jobs.for_each([&](const OutstandingJob& job, bool) {
    if (moment.named() && job.claim == *moment.named()) named = job;
  });
  return named;
}

// Of a process that ended by itself, and with it `jobs` that it had been given.
std::string process_end_text(const WorkerGone& event, const LastMoment& moment, std::size_t jobs,
                             const std::optional<OutstandingJob>& named, std::string_view kind) {
  const auto counted = [](std::size_t count) {
    return fmt::format("{} job{}", count, count == 1 ? "" : "s");
  };
  const std::string end = fmt::format("The worker process ended ({})", event.cause);
  if (moment.begun() == 0)
    return fmt::format("{} while it performed none of the {} that it had; nothing is charged.", end,
                       counted(jobs));
  if (event.is_in_trouble)
    return fmt::format("{} while it performed {}; nothing is charged.", end, counted(moment.begun()));
  if (named)
    return fmt::format(
        "{} by the crash of job {}, of kind {}, which is charged; {} beside it run again at no cost.", end,
        named->id.text(), kind, counted(moment.begun() - 1));
  return fmt::format(
      "{} while it performed {}, and no crash of one of them is known; each that was not cancelled is "
      "charged with a crash and runs again alone, or is dead where it was alone at its third.",
      end, counted(moment.begun()));
}

}  // namespace

Actions Machine::step(Event&& event, Now now) {
  if (has_left_) return {};
  state_.now = now;
  std::visit([this](auto& happened) { on(happened); }, event);
  if (!has_left_) tick();
  return std::exchange(state_.actions, {});
}

void Machine::on(const Started&) { state_.processes.start_all(state_.now.steady, state_.actions); }

// The timer has fired, so the next wake is news even if it is the same moment.
void Machine::on(const TimePassed&) { wake_.reset(); }

void Machine::on(const WakeHinted& event) {
  state_.looks.soon();
  // Claimed in the same round as the look that will find it. Where there is other work the next round comes soon anyway.
  if (event.lane && state_.stage == Stage::working && !rounds_.is_under_way() && state_.lanes.none_open())
    state_.lanes.rumoured(*event.lane);
}

void Machine::on(RoundDone& event) {
  for (std::size_t pool = 0; pool < state_.settings.pools.size(); ++pool)
    state_.lanes.ring(pool).set_ahead(state_.processes.ahead_us(pool));
  rounds_.done(state_, event.reply);
}

// All of it is asked again, unless asking can not help.
void Machine::on(const RoundFailed& event) {
  if (permanence_of(event.failure.code) == Permanence::permanent) return give_up(event.failure);
  rounds_.failed(state_, event.failure);
}

// What was acknowledged is on disk or in the file that was taken from us; what is only visible may not be. A new start reads
// what is really there, and takes back what was claimed.
void Machine::give_up(const Failure& failure) {
  has_left_ = true;
  state_.actions.emplace_back(
      Note{Note::Level::error,
           "store.lost",
           fmt::format("Nothing more can be done on this control database, so the daemon ends. {}",
                       failure.text()),
           {},
           {}});
  state_.actions.emplace_back(Leave{failure});
}

void Machine::on(const WorkerReady& event) {
  if (state_.stopping.is_asked() || !state_.processes.ready(event, state_.now.steady)) return;
  Process& process = *state_.processes.find(event.process);
  if (process.alone) return;  // it is nobody's offer; the next round claims its job
  process.offer = state_.lanes.process_came(process.pool, event.kinds, event.default_queues, event.schemas,
                                            event.reads_only, event.newest_schemas);
  state_.lone_jobs.find_pools();
  state_.held_notes.came(event.default_queues, state_.lanes, state_.actions);
  state_.told_pools.came(state_.pools_to_tell(), state_.now.steady);
  state_.arrivals.look_at_blocked();
  state_.replacements.came(process, state_.actions);
}

void Machine::on(const AttemptsEnded& event) {
  Process* const process = state_.processes.find(event.process);
  for (const AttemptEnd& end : event.ends) {
    const bool has_outbox = state_.told_outboxes.told(event.process, end);
    if (process != nullptr) state_.endings.attempt_ended(*process, end, has_outbox, state_.now);
  }
  if (process == nullptr) return;
  for (const AttemptEnd& end : event.ends) state_.suspects.ended(end.claim.seq);
  state_.replacements.look_at(*process);
}

void Machine::on(RunsTold& event) {
  const Process* const process = state_.processes.find(event.process);
  if (process != nullptr) state_.told_runs.told(*process, std::move(event.news));
}

void Machine::on(const WorkerGone& event) {
  auto dead = state_.processes.gone(event, state_.now.steady, state_.actions);
  if (!dead) return;
  if (dead->alone) {
    state_.lone_jobs.process_gone(*dead, event, state_.now.steady, state_.actions);
  } else if (dead->ready) {
    state_.lanes.process_went(dead->pool, dead->offer);
    state_.lone_jobs.find_pools();
    state_.told_pools.went(state_.pools_to_tell(), state_.now.steady);
  }
  for (const queue::JobSeq seq :
       state_.endings.process_ended(*dead, event, state_.settings.can_end_processes, state_.now.wall))
    state_.suspects.left_to_be_alone(seq);
  dead->jobs.for_each([&](const OutstandingJob& job, bool) { state_.suspects.ended(job.claim.seq); });
  note_end(*dead, event);
}

// What another line has told, or we have ended ourselves, is no news.
void Machine::note_end(const Process& dead, const WorkerGone& event) {
  if (dead.was_ended_by_stop || !dead.timed_out.empty()) return;
  const std::string& pool = state_.settings.pools[dead.pool].name;
  if (dead.jobs.size() > 0) {
    const LastMoment moment(dead, event);
    const auto named = named_job(dead, moment);
    const std::string kind = named ? state_.lanes.kind_name(named->lane.kind) : "";
    state_.actions.emplace_back(
        Note{.level = Note::Level::warning,
             .event = "worker.crashed",
             .message = process_end_text(event, moment, dead.jobs.size(), named, kind),
             .pool = pool,
             .process = dead.number,
             .kind = kind});
  } else if (!dead.is_delay_told && !dead.aborted) {
    const bool was_asked = dead.phase == Phase::leaving && event.cause == "exit 0";
    state_.actions.emplace_back(
        Note{was_asked ? Note::Level::info : Note::Level::warning, "worker.ended",
             fmt::format("The worker process, pid {}, ended without a job ({}); it had performed {}.",
                         dead.pid, event.cause, dead.performed),
             pool, dead.number});
  }
}

void Machine::on(const Ponged& event) {
  state_.processes.ponged(event);
  if (const Process* const process = state_.processes.find(event.process))
    state_.replacements.look_at(*process, event.memory);
}

void Machine::on(const WorkerLeaving& event) {
  Process* const process = state_.processes.find(event.process);
  if (process != nullptr) state_.replacements.leaves(*process, state_.now.steady, state_.actions);
}

void Machine::on(const Reconfigured& event) {
  state_.settings.stop_deadline = event.stop_deadline;
  state_.looks.set_poll(event.poll);
  for (std::size_t pool = 0; pool < event.pools.size(); ++pool) {
    state_.settings.pools[pool].jobs_max = event.pools[pool].jobs_max;
    state_.settings.pools[pool].memory_max = event.pools[pool].memory_max;
  }
  if (state_.stopping.is_asked()) return;
  for (std::size_t pool = 0; pool < event.pools.size(); ++pool) change_rules(pool, event.pools[pool]);
  if (event.schedules) state_.schedules.declare(*event.schedules);
  if (event.limits) {
    state_.limit_news.declare(*event.limits);
    state_.looks.soon();
  }
  state_.replacements.reloaded(event);  // those that start now have read what is new
  state_.processes.reconfigure(event, state_.now.steady, state_.actions);
}

// What runs goes on; what was assigned ahead by the former rules comes back.
void Machine::change_rules(std::size_t pool, const Reconfigured::Pool& event) {
  PoolSettings& settings = state_.settings.pools[pool];
  if (settings.tenants == event.tenants && settings.reserved == event.reserved) return;
  settings.tenants = event.tenants;
  settings.reserved = event.reserved;
  state_.lanes.set_pool_tenants(pool, event.tenants);
  state_.lone_jobs.find_pools();
  state_.told_pools.came(state_.pools_to_tell(), state_.now.steady);
  for (auto& [number, process] : state_.processes.all())
    if (process.pool == pool && process.takes_jobs()) recall_all(process, state_.actions);
}

void Machine::on(const QuietAsked& event) { state_.quiet_pools.ask(event, state_.now.wall, state_.actions); }

void Machine::on(const ResumeAsked& event) { state_.quiet_pools.resume(event, state_.actions); }

void Machine::on(const DrainAsked& event) {
  Process* const process = state_.processes.find(event.process);
  if (process != nullptr) state_.replacements.drain(*process, event.uid, state_.now.steady, state_.actions);
}

void Machine::on(const RecycleAsked& event) { state_.replacements.recycle(event); }

void Machine::on(const DescriptionAsked&) {
  const DispatcherStatus figures = status();
  state_.actions.emplace_back(Note{
      Note::Level::info,
      "daemon.described",
      fmt::format(
          "{} of {} slots perform, {} jobs are assigned ahead; {} lanes wait, {} of them at a gate; {} ends "
          "are not stored yet.",
          figures.busy, figures.slots, figures.ahead, figures.lanes, figures.parked,
          state_.endings.not_stored_yet()),
      {},
      {}});
  for (const auto& [number, process] : state_.processes.all()) {
    state_.actions.emplace_back(
        Note{Note::Level::info, "worker.described",
             process.phase == Phase::starting
                 ? "The worker process has not said hello yet."
                 : fmt::format("The worker process {}, performs {} jobs in {} slots, holds {} ahead, and has "
                               "performed {}.",
                               phase_text(process.phase), process.jobs.performing(), process.slots,
                               process.jobs.ahead(), process.performed),
             state_.settings.pools[process.pool].name, number});
    if (process.phase != Phase::starting) state_.actions.emplace_back(Describe{number});
  }
}

void Machine::on(const StopAsked& event) {
  const auto deadline =
      event.how == StopAsked::How::at_once ? std::chrono::milliseconds{0} : state_.settings.stop_deadline;
  state_.stopping.ask(deadline, state_.now.steady, state_.processes, state_.actions);
}

void Machine::tick() {
  const Instant now = state_.now.steady;
  state_.lanes.unpark_due(now);
  state_.processes.tick(now, state_.actions);
  enforce_time_limits(state_.processes, state_.settings, now, state_.actions);
  state_.stopping.tick(now, state_.processes, state_.actions);
  if (!state_.stopping.is_asked()) state_.replacements.tick(now, state_.actions);
  for (const TenantNumber tenant : state_.suspects.tenants()) state_.lanes.met(tenant);
  state_.suspects.tick(now);
  if (!state_.stopping.is_asked()) state_.lone_jobs.tick(now, state_.actions);
  state_.far_retries.tick(state_.now);
  // A look that time alone asks for would be left out where nobody has written.
  const bool has_old = state_.pauses.has_expired(state_.now.wall) || state_.schemas.has_old(state_.now.wall);
  if (state_.is_in(Stage::working) && has_old) state_.looks.soon();
  // Before the round plans first jobs for newcomers, and after it has planned what free slots can have.
  recall_for_newcomers(state_);
  rounds_.start(state_);
  recall_by_the_clock(state_);
  state_.dead_jobs.tick(now, state_.actions);
  state_.expired_jobs.tick(now, state_.actions);
  if (state_.is_in(Stage::working)) state_.held_notes.tick(state_.lanes, now, state_.actions);
  leave_if_done();
  if (!has_left_) set_wake();
}

void Machine::leave_if_done() {
  if (!state_.stopping.is_asked() || !state_.processes.all().empty()) return;
  const bool is_done = state_.endings.all_stored() && state_.told_outboxes.all_stored() &&
                       !state_.refusals.is_any_untold() && !rounds_.is_under_way();
  if (!is_done && !state_.stopping.is_over(state_.now.steady)) return;
  if (!is_done) {
    state_.actions.emplace_back(
        Note{Note::Level::warning,
             "stop.store_unavailable",
             "The store did not take the last outcomes in time; the next start takes their claims back.",
             {},
             {}});
  }
  has_left_ = true;
  state_.dead_jobs.leave(state_.actions);
  state_.expired_jobs.leave(state_.actions);
  state_.actions.emplace_back(Leave{});
}

void Machine::set_wake() {
  const auto next = next_wake();
  if (!next || next == wake_) return;
  wake_ = next;
  state_.actions.emplace_back(WakeAt{*next});
}

std::optional<Instant> Machine::next_wake() const {
  const Now& now = state_.now;
  std::optional<Instant> next = state_.processes.next_at();
  const auto consider = [&next](std::optional<Instant> moment) {
    if (moment && (!next || *moment < *next)) next = moment;
  };
  consider(state_.stopping.next_at(now.steady));
  consider(state_.lanes.next_unpark());
  consider(state_.dead_jobs.next_at());
  consider(state_.expired_jobs.next_at());
  // What is due already waits for the round that is under way, and needs no timer.
  const auto consider_later = [&](std::optional<Instant> moment) {
    if (moment && *moment > now.steady) consider(moment);
  };
  consider_later(rounds_.retry_at());
  consider_later(state_.told_outboxes.sync_at());
  if (state_.stopping.is_asked() && state_.processes.hold_any()) consider_later(state_.looks.next_poll());
  if (!state_.is_in(Stage::working)) return next;
  consider(state_.held_notes.next_at());
  consider_later(state_.far_retries.next_at());
  consider_later(state_.schedules.next_at(now));
  consider_later(state_.fan_outs.next_at(now));
  consider_later(state_.refusals.next_at());
  consider_later(state_.told_pools.next_at());
  consider_later(state_.looks.next_poll());
  consider_later(state_.suspects.next_at());
  consider_later(state_.lone_jobs.next_at());
  // When the wall clock will show it, if it does not jump: after a jump the next look puts it right.
  for (const auto& due : {state_.arrivals.next_due(), state_.arrivals.next_expiry()})
    if (due) consider_later(now.steady + (*due - now.wall));
  return next;
}

DispatcherStatus Machine::status() const {
  DispatcherStatus status = state_.figures;
  for (const auto& [number, process] : state_.processes.all()) {
    if (process.phase != Phase::starting) status.slots += static_cast<std::int64_t>(process.slots);
    status.busy += static_cast<std::int64_t>(process.jobs.performing());
    status.ahead += static_cast<std::int64_t>(process.jobs.ahead());
  }
  status.lanes = state_.lanes.count();
  status.parked = state_.lanes.parked();
  status.pools = std::ssize(state_.settings.pools);
  status.quiet_pools = state_.quiet_pools.count();
  status.quiet = state_.quiet_pools.first();
  return status;
}

// Whom slots are kept from waits for those that are left, of which nobody counts when one falls free.
std::vector<PoolTurn> Machine::turns(const queue::Lane& lane, std::int64_t ahead, Instant now) const {
  auto turns = pool_turns(state_.lanes, state_.processes, state_.usual, lane, ahead, now);
  for (PoolTurn& turn : turns)
    if (queue::are_kept_from(state_.settings.pools[turn.pool].reserved, lane.priority)) turn.expected.reset();
  return turns;
}

CrewStatus Machine::crew() const {
  CrewStatus crew;
  for (std::size_t pool = 0; pool < state_.settings.pools.size(); ++pool)
    crew.pools.push_back({state_.settings.pools[pool].name, state_.quiet_pools.of(pool),
                          state_.settings.pools[pool].reserved});
  for (const auto& [number, process] : state_.processes.all()) {
    ProcessStatus& status =
        crew.processes.emplace_back(ProcessStatus{.number = number,
                                                  .pool = process.pool,
                                                  .phase = process.phase,
                                                  .is_replaced = process.is_replaced,
                                                  .slots = static_cast<std::int64_t>(process.slots),
                                                  .performed = process.performed,
                                                  .memory = process.memory,
                                                  .started = process.started,
                                                  .jobs = {}});
    process.jobs.for_each_held([&](const OutstandingJob& job, std::optional<Instant> since) {
      status.jobs.push_back(
          {job.id, std::string(job.tenant.text()), state_.lanes.kind_name(job.lane.kind), since});
    });
  }
  return crew;
}

}  // namespace tenure::daemon
