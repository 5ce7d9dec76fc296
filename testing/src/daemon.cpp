#include "daemon.hpp"

#include "undone_store.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>
#include <tenure/daemon/assigned_job.hpp>
#include <tenure/daemon/round.hpp>
#include <tenure/queue/run_notes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

namespace tenure::testing::detail {
namespace {

// So long that neither happens: whoever writes says so, and nobody here hangs.
constexpr std::chrono::hours kNever{24 * 365 * 100};
constexpr int kStopStepsMax = 1000;

daemon::DispatcherSettings settings_of(const Work& work, bool former_died) {
  return {.pools = {{.name = "test", .queues = work.queues}},
          .poll = kNever,
          .ping_max = kNever,
          .seed = work.seed,
          .former_died = former_died};
}

// A run's time limit shows in its context and ends nobody: no time passes that the test has not moved.
daemon::WorkerReady hello_of(queue::ProcessNumber process, const Surroundings& around, int slots) {
  daemon::WorkerReady ready{.process = process, .slots = slots, .kinds = {}};
  const auto known = std::ssize(around.performing.migrations);
  for (JobRegistry::Kind& kind : offered_kinds(around.jobs, around.performing)) {
    if (const std::int64_t wanted = kind.schema ? kind.schema->min : known; known > 0 && wanted > 0)
      ready.schemas[kind.name] = wanted;
    if (kind.reads_only) ready.reads_only.push_back(kind.name);
    ready.kinds.push_back(std::move(kind.name));
    ready.default_queues.push_back(std::move(kind.queue));
  }
  sort_uniquely(ready.kinds);
  sort_uniquely(ready.default_queues);
  sort_uniquely(ready.reads_only);
  return ready;
}

daemon::TimeLimits time_limits_of(const JobRegistry& jobs) {
  daemon::TimeLimits limits;
  for (const JobRegistry::Kind& kind : jobs.kinds())
    if (kind.time_limit.count() > 0) limits.of_kinds[kind.name] = kind.time_limit;
  return limits;
}

bool claims_any(const daemon::RoundWork& work) {
  return work.ask<daemon::ClaimsPart>() || work.ask<daemon::TrialsPart>() ||
         work.ask<daemon::LoneClaimsPart>();
}

bool has_claimed_any(const daemon::RoundReply& reply,
                     const std::function<bool(const queue::ClaimedJob&)>& is_meant) {
  const auto any_in = [&](const std::vector<queue::ClaimReply>& replies) {
    return std::ranges::any_of(
        replies, [&](const queue::ClaimReply& each) { return std::ranges::any_of(each.jobs, is_meant); });
  };
  const auto& claims = reply.answer<daemon::ClaimsPart>();
  const auto& lone = reply.answer<daemon::LoneClaimsPart>();
  const auto& trial = reply.answer<daemon::TrialsPart>();
  return (claims && any_in(*claims)) || (lone && any_in(*lone)) ||
         (trial && std::ranges::any_of(trial->jobs, is_meant));
}

// A job that comes back untouched has not finished.
bool finishes_any(const daemon::RoundWork& work) {
  const auto& ends = work.ask<daemon::EndsPart>();
  return ends && std::ranges::any_of(*ends, [](const daemon::ClaimEnd& end) {
           const auto* const release = std::get_if<daemon::EndRelease>(&end.how);
           return release == nullptr || release->started;
         });
}

}  // namespace

Daemon::Daemon(const Surroundings& surroundings, Work work) : around_(surroundings), work_(std::move(work)) {}

Runs Daemon::work() {
  start(around_.watch != nullptr && around_.watch->has_former_died());
  const bool is_whole = work_until_idle();
  stop();
  if (lost_) raise(*lost_);
  if (!is_whole) throw LoopGuardReached(guard_text());
  return std::move(runs_);
}

void Daemon::hint() { events_.emplace_back(daemon::WakeHinted{}); }

void Daemon::start(bool former_died) {
  ++life_;
  dispatcher_.emplace(settings_of(work_, former_died));
  events_.clear();
  assigned_.clear();
  wake_.reset();
  events_.emplace_back(daemon::Started{});
}

bool Daemon::work_until_idle() {
  while (true) {
    if (run_one()) continue;
    const Performed performed = perform_next();
    if (performed == Performed::too_many) return false;
    if (performed == Performed::none && !move_on()) return true;
  }
}

// What waits for its time waits in vain here: the stop has a clock of its own, which the world does not see.
void Daemon::stop() {
  events_.emplace_back(daemon::StopAsked{});
  for (int steps = 0; !has_left_ && steps < kStopStepsMax; ++steps) {
    if (run_one()) continue;
    if (!wake_) break;
    waited_ += std::max(*wake_ - (around_.clock.steady() + waited_), std::chrono::microseconds{0});
    wake_.reset();
    events_.emplace_back(daemon::TimePassed{});
  }
  dispatcher_.reset();
}

bool Daemon::run_one() {
  if (!events_.empty()) {
    daemon::Event event = std::move(events_.front());
    events_.pop_front();
    step(std::move(event));
    return true;
  }
  if (!wake_ || *wake_ > around_.clock.steady() + waited_) return false;
  wake_.reset();
  step(daemon::TimePassed{});
  return true;
}

// To the next moment at which something may be due.
bool Daemon::move_on() {
  if (!work_.until) return false;
  const Instant now = around_.clock.steady();
  if (now >= *work_.until) return false;
  const Instant next = wake_ ? std::min(*wake_, *work_.until) : *work_.until;
  around_.clock.advance(std::max(next - now, std::chrono::microseconds{0}));
  return true;
}

void Daemon::step(daemon::Event event) {
  if (has_left_) return;
  const std::int64_t life = life_;
  daemon::Actions actions = dispatcher_->step(
      std::move(event), {.wall = around_.clock.wall(), .steady = around_.clock.steady() + waited_});
  for (daemon::Action& action : actions)
    if (life == life_) std::visit([this](auto& what) { on(what); }, action);
}

void Daemon::on(daemon::RunRound& action) {
  const daemon::RoundWork& work = *action.work;
  if (finishes_any(work) && crashes_at(CrashPoint::before_finish_commit)) return;
  try {
    if (would_claim_any(work) && crashes_at(CrashPoint::before_claim_commit)) return;
    daemon::RoundReply reply = carry_out(work);
    if (has_claimed_any(reply, work_.takes) && crashes_at(CrashPoint::after_claim_commit)) return;
    if (finishes_any(work) && crashes_at(CrashPoint::after_finish_commit)) return;
    events_.emplace_back(daemon::RoundDone{std::move(reply)});
  } catch (const Error& error) {  // of the store's thread
    events_.emplace_back(daemon::RoundFailed{error.failure()});
  }
}

// Of what is meant. Whether there is any is seen by the commit alone.
bool Daemon::would_claim_any(const daemon::RoundWork& work) {
  const auto is_at_claim = [](const FaultState& each) {
    return each.point == CrashPoint::before_claim_commit;
  };
  if (!claims_any(work) || around_.faults.next(FaultKind::crash, is_at_claim) == nullptr) return false;
  UndoneStore undone(around_.store);
  return has_claimed_any(daemon::run_round(undone, work, around_.clock.wall()), work_.takes);
}

daemon::RoundReply Daemon::carry_out(const daemon::RoundWork& work) {
  if (around_.watch != nullptr) around_.watch->before_round(work);
  daemon::RoundReply reply = daemon::run_round(around_.store, work, around_.clock.wall());
  if (around_.watch != nullptr) around_.watch->after_round(work);
  return reply;
}

bool Daemon::crashes_at(CrashPoint point) {
  const auto fault =
      around_.faults.take(FaultKind::crash, [&](const FaultState& each) { return each.point == point; });
  if (fault == nullptr) return false;
  around_.on_crash();
  start(true);
  return true;
}

void Daemon::on(daemon::StartProcess& action) {
  time_limits_ = time_limits_of(around_.jobs);
  events_.emplace_back(hello_of(action.process, around_, work_.slots));
}

void Daemon::on(daemon::Assign& action) {
  for (queue::ClaimedJob& job : action.jobs) {
    const bool is_meant = work_.takes(job);
    assigned_.push_back({action.process, std::move(job), is_meant});
  }
}

void Daemon::on(daemon::Recall& action) {
  give_back(action.process, [&](const queue::ClaimRef& claim) {
    return std::ranges::find(action.jobs, claim) != action.jobs.end();
  });
}

void Daemon::on(daemon::Drain& action) {
  give_back(action.process, [](const queue::ClaimRef&) { return true; });
  gone(action.process, {queue::ProcessExit::By::code, 0});
}

void Daemon::on(daemon::EndProcess& action) {
  std::erase_if(assigned_, [&](const AssignedTo& job) { return job.process == action.process; });
  gone(action.process, {queue::ProcessExit::By::signal, 9});
}

void Daemon::gone(queue::ProcessNumber process, const queue::ProcessExit& exit) {
  events_.emplace_back(daemon::WorkerGone{
      .process = process, .cause = queue::text_of(exit), .exit = exit, .slots = daemon::LastSlots{}});
}

void Daemon::on(daemon::Ping& action) { events_.emplace_back(daemon::Ponged{action.process}); }

void Daemon::on(daemon::AcknowledgeOutbox& action) { around_.clear_outbox(action.owner, action.watermark); }

void Daemon::on(daemon::WakeAt& action) { wake_ = action.at; }

void Daemon::on(daemon::Leave& action) {
  has_left_ = true;
  lost_ = action.because;
}

void Daemon::give_back(queue::ProcessNumber process,
                       const std::function<bool(const queue::ClaimRef&)>& is_meant) {
  daemon::AttemptsEnded ended{.process = process, .ends = {}};
  std::erase_if(assigned_, [&](const AssignedTo& assigned) {
    const queue::ClaimRef claim{assigned.job.seq, assigned.job.token};
    if (assigned.process != process || !is_meant(claim)) return false;
    ended.ends.push_back({.claim = claim, .result = queue::RunResult::not_started});
    return true;
  });
  if (!ended.ends.empty()) events_.emplace_back(std::move(ended));
}

Daemon::Performed Daemon::perform_next() {
  const auto next = std::ranges::find_if(assigned_, &AssignedTo::is_meant);
  if (leaves_too_many()) return Performed::too_many;
  if (next == assigned_.end()) return Performed::none;
  if (runs_.size() == work_.runs_max) return Performed::too_many;
  AssignedTo assigned = std::move(*next);
  assigned_.erase(next);
  const std::chrono::microseconds time_limit = time_limits_.of(assigned.job.kind);
  const queue::AssignedJob job = daemon::assigned_job(std::move(assigned.job), time_limit);
  runs_.push_back({.id = job.id, .kind = job.kind, .tenant = job.tenant, .attempt = job.attempt});
  // Tells at once only where somebody watches: between two rounds in any case, since no step is under way.
  queue::RunNotes* told = nullptr;
  queue::RunNotes notes{job.claim, [&] {
                          if (around_.watch == nullptr) return;
                          tell(assigned.process, *told);
                          while (run_one()) continue;
                        }};
  told = &notes;
  queue::AttemptEnd end = perform(job, notes);
  if (end.result == queue::RunResult::failed) runs_.back().failure = end.failure;
  if (queue::has_run(end.result)) around_.on_run(runs_.back());
  else runs_.pop_back();
  tell(assigned.process, notes);
  daemon::AttemptsEnded ended{.process = assigned.process, .ends = {}};
  ended.ends.push_back(std::move(end));
  events_.emplace_back(std::move(ended));
  return Performed::one;
}

queue::AttemptEnd Daemon::perform(const queue::AssignedJob& job, queue::RunNotes& notes) {
  if (around_.watch != nullptr) around_.watch->run_begins();
  queue::AttemptEnd end = around_.perform(job, notes);
  if (around_.watch != nullptr) around_.watch->run_ended();
  return end;
}

void Daemon::tell(queue::ProcessNumber process, queue::RunNotes& notes) {
  auto news = notes.take();
  if (!news) return;
  daemon::RunsTold told{.process = process, .news = {}};
  told.news.push_back(*std::move(news));
  events_.emplace_back(std::move(told));
}

bool Daemon::leaves_too_many() const {
  if (!work_.left_max) return false;
  const auto left = std::ranges::count(assigned_, false, &AssignedTo::is_meant);
  return static_cast<std::size_t>(left) > *work_.left_max;
}

std::string Daemon::guard_text() const {
  std::map<std::string, std::size_t> kinds;
  for (const JobRun& run : runs_) ++kinds[run.kind];
  const bool is_by_choice = runs_.size() < work_.runs_max;
  std::string text = is_by_choice
                         ? fmt::format("more than {} jobs that are due are left, behind", *work_.left_max)
                         : fmt::format("{} runs, and there is more to perform:", runs_.size());
  for (const auto& [kind, count] : kinds) text += fmt::format(" {} {} times;", kind, count);
  return text +
         fmt::format(" jobs that enqueue jobs without end have none; where so many are meant, raise {}",
                     is_by_choice ? "left_max" : "runs_max");
}

}  // namespace tenure::testing::detail
