#include "machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

using std::chrono::microseconds;

Dispatcher::Impl::Impl(DispatcherSettings given)
    : settings_(std::move(given)),
      random_(settings_.seed),
      lanes_(settings_.pools),
      processes_(settings_),
      usual_(settings_.pools.size()),
      plan_(lanes_, processes_, usual_) {}

Actions Dispatcher::Impl::step(Event&& event, Now now) {
  if (has_left_) return {};
  now_ = now;
  std::visit([this](auto& happened) { on(happened); }, event);
  if (!has_left_) tick();
  return std::exchange(actions_, {});
}

void Dispatcher::Impl::on(const Started&) { processes_.start_all(now_.steady, actions_); }

// The timer has fired, so the next wake is news even if it is the same moment.
void Dispatcher::Impl::on(const TimePassed&) { wake_.reset(); }

void Dispatcher::Impl::on(const Hinted& event) {
  look_now_ = true;
  // Claimed in the same round as the look that will find it. Where there is other work the next round comes soon anyway.
  if (event.lane && stage_ == Stage::working && !in_flight_ && lanes_.none_open())
    lanes_.rumoured(*event.lane);
}

void Dispatcher::Impl::on(RoundDone& event) {
  if (!in_flight_) return;
  in_flight_ = false;
  retry_wait_ = {};
  absorb(event.reply);
}

// Nothing of it happened, so all of it is asked again, unless asking can not help.
void Dispatcher::Impl::on(const RoundFailed& event) {
  if (permanence_of(event.failure.code) == Permanence::permanent) return give_up(event.failure);
  if (!in_flight_) return;
  in_flight_ = false;
  undo_round();
  retry_wait_ = std::clamp(retry_wait_ * 2, kRoundRetryMin, kRoundRetryMax);
  retry_at_ = now_.steady + retry_wait_;
  if (noted_ && now_.steady < *noted_ + kRoundNotePause) return;
  noted_ = now_.steady;
  actions_.emplace_back(
      Note{Note::Level::warning,
           "round.failed",
           fmt::format("The store could not do a round and is asked again in {} ms; nothing is lost. {}",
                       retry_wait_.count(), event.failure.text()),
           {},
           {}});
}

// What was acknowledged is on disk or in the file that was taken from us; what is only visible may not be. A new start reads
// what is really there, and takes back what was claimed.
void Dispatcher::Impl::give_up(const Failure& failure) {
  has_left_ = true;
  actions_.emplace_back(
      Note{Note::Level::error,
           "store.lost",
           fmt::format("Nothing more can be done on this control database, so the daemon ends. {}",
                       failure.text()),
           {},
           {}});
  actions_.emplace_back(Leave{failure});
}

void Dispatcher::Impl::on(const WorkerReady& event) {
  if (stopping_.is_asked() || !processes_.ready(event, now_.steady)) return;
  std::vector<std::string> kinds = event.kinds;
  std::sort(kinds.begin(), kinds.end());
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  Process& process = *processes_.find(event.process);
  process.program = lanes_.process_came(process.pool, kinds);
  unblock_again_ = unblocked_until_.has_value();
  if (!unblocked_until_) unblocked_until_ = queue::JobSeq{0};
}

void Dispatcher::Impl::on(const AttemptsEnded& event) {
  Process* const process = processes_.find(event.process);
  if (process == nullptr) return;
  for (const AttemptEnd& end : event.ends) attempt_ended(*process, end);
  processes_.jobs_ended(*process, event.ends.size());
}

void Dispatcher::Impl::attempt_ended(Process& process, const AttemptEnd& end) {
  const auto job = process.jobs.take(end.claim);
  if (!job) return;  // reported twice
  AttemptOutcome outcome = outcome_of(*job, end, now_.wall, random_);
  pending_.push_back(std::move(outcome.pending));
  const bool has_run = end.result != RunResult::not_started;
  job_left(process, *job, has_run ? std::optional{end.run_time} : std::optional{microseconds{0}});
  if (has_run) usual_[process.pool].learn(job->lane.kind, end.run_time);
  if (outcome.pause != AttemptOutcome::Pause::none) {
    lanes_.park_busy(job->lane.tenant, now_.steady, outcome.pause == AttemptOutcome::Pause::growing);
  } else if (has_run) {
    lanes_.not_busy(job->lane.tenant, now_.steady);
  }
  // It gives back what nobody recalled: it is ending by itself, and would give back the next ones too.
  if (!has_run && !job->recalled) process.phase = Phase::draining;
}

// `run_time` is what the tenant really used; nothing where nobody knows, and then what was charged stays.
void Dispatcher::Impl::job_left(const Process& process, const OutstandingJob& job,
                                std::optional<microseconds> run_time) {
  Ring& ring = lanes_.ring(process.pool);
  if (run_time) ring.correct(job.lane.tenant, run_time->count() - job.assumed_us);
  ring.ended(job.lane.tenant, process.number);
}

void Dispatcher::Impl::on(const WorkerGone& event) {
  auto dead = processes_.gone(event, now_.steady, actions_);
  if (!dead) return;
  if (dead->ready) lanes_.process_went(dead->pool, dead->program);
  const ProcessEnd end = dead->was_ended_by_stop  ? ProcessEnd::by_stop
                         : dead->jobs.size() == 1 ? ProcessEnd::alone
                                                  : ProcessEnd::in_company;
  dead->jobs.for_each([&](const OutstandingJob& job, bool was_performing) {
    pending_.push_back(end_with_process(job, was_performing, end, event.cause));
    job_left(*dead, job, was_performing ? std::nullopt : std::optional{microseconds{0}});
  });
  if (dead->jobs.size() == 0 || dead->was_ended_by_stop) return;
  actions_.emplace_back(
      Note{Note::Level::warning, "worker.crashed",
           fmt::format("The worker process ended ({}) while it performed {} jobs; they run again.",
                       event.cause, dead->jobs.performing()),
           settings_.pools[dead->pool].name, dead->number});
}

void Dispatcher::Impl::on(const Ponged& event) { processes_.ponged(event.process); }

void Dispatcher::Impl::on(const StopAsked& event) {
  const auto deadline = event.at_once ? std::chrono::milliseconds{0} : settings_.stop_deadline;
  stopping_.ask(deadline, now_.steady, processes_, actions_);
}

void Dispatcher::Impl::tick() {
  lanes_.unpark_due(now_.steady);
  processes_.tick(now_.steady, actions_);
  stopping_.tick(now_.steady, processes_, actions_);
  recall_for_newcomers();  // before the round plans their first jobs
  start_round();
  leave_if_done();
  if (!has_left_) set_wake();
}

void Dispatcher::Impl::leave_if_done() {
  if (!stopping_.is_asked() || !processes_.all().empty()) return;
  const bool is_done = pending_.empty() && !in_flight_;
  if (!is_done && !stopping_.is_over(now_.steady)) return;
  if (!is_done) {
    actions_.emplace_back(
        Note{Note::Level::warning,
             "stop.store_unavailable",
             "The store did not take the last outcomes in time; the next start takes their claims back.",
             {},
             {}});
  }
  has_left_ = true;
  actions_.emplace_back(Leave{});
}

void Dispatcher::Impl::set_wake() {
  std::optional<Instant> next = processes_.next_at();
  const auto consider = [&next](std::optional<Instant> moment) {
    if (moment && (!next || *moment < *next)) next = moment;
  };
  consider(stopping_.next_at(now_.steady));
  consider(lanes_.next_unpark());
  // What is due already waits for the round that is under way, and needs no timer.
  const auto consider_later = [&](std::optional<Instant> moment) {
    if (moment && *moment > now_.steady) consider(moment);
  };
  consider_later(retry_at_);
  if (!stopping_.is_asked() && stage_ == Stage::working) {
    consider_later(next_look_);
    if (next_due_) consider_later(at(*next_due_));
  }
  if (!next || next == wake_) return;
  wake_ = next;
  actions_.emplace_back(WakeAt{*next});
}

// When the wall clock will show `time`, if it does not jump: after a jump the next look puts it right.
Instant Dispatcher::Impl::at(WallTime time) const { return now_.steady + (time - now_.wall); }

DispatcherStatus Dispatcher::Impl::status() const {
  DispatcherStatus status = figures_;
  for (const auto& [number, process] : processes_.all()) {
    if (process.phase != Phase::starting) status.slots += static_cast<std::int64_t>(process.slots);
    status.busy += static_cast<std::int64_t>(process.jobs.performing());
    status.ahead += static_cast<std::int64_t>(process.jobs.ahead());
  }
  status.lanes = lanes_.count();
  status.parked = lanes_.parked();
  return status;
}

}  // namespace tenure::daemon
