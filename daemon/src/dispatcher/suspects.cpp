#include "suspects.hpp"

#include <tenure/base/error.hpp>
#include <tenure/daemon/round.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tenure::daemon {

using std::chrono::milliseconds;

milliseconds trial_time(int deaths, std::size_t suspects) {
  if (deaths <= 1) {
    const auto share = kFirstTrials / static_cast<std::int64_t>(std::max<std::size_t>(suspects, 1));
    return std::clamp(share, kTrialMin, kTrial);
  }
  milliseconds time = kTrial;
  for (int death = 1; death < deaths && time < kTrialMax; ++death) time *= kTrialGrowth;
  return std::min(time, kTrialMax);
}

void Suspects::read(std::vector<queue::Suspect> page, Instant now, Actions& actions) {
  const bool is_last = page.size() < kRoundRowsMax;
  unread_after_ = is_last ? std::nullopt : std::optional{page.back().seq};
  for (queue::Suspect& job : page) {
    if (job.deaths == 0 && settings_.can_end_processes) lone_jobs_.found(job);
    else add(std::move(job), now);
  }
  if (is_last && std::exchange(has_found_more_, false)) put_in_order(now, actions);
}

void Suspects::look_for(const std::vector<queue::JobArrival>& rows) {
  if (std::ranges::find(rows, queue::JobState::blocked, &queue::JobArrival::state) != rows.end())
    unread_after_ = queue::JobSeq{0};
}

void Suspects::add(queue::Suspect job, Instant now) {
  if (find(job.seq) != waiting_.end()) return;
  has_found_more_ = true;
  const Instant not_before = job.was_alone ? now + kRetrialWait : now;
  waiting_.push_back({std::move(job), not_before});
}

// First who was on trial at the last death, then who had started last before it: most of what kills does so soon.
void Suspects::put_in_order(Instant now, Actions& actions) {
  std::stable_sort(waiting_.begin(), waiting_.end(), [](const Waiting& a, const Waiting& b) {
    return std::pair{a.job.was_on_trial, a.job.counter} > std::pair{b.job.was_on_trial, b.job.counter};
  });
  found_ = waiting_.size();
  found_at_ = now;
  actions.emplace_back(Note{
      Note::Level::warning,
      "daemon.suspects",
      fmt::format(
          "{} under which the daemon died. They start one at a time, before all others; one that performs "
          "alone when the daemon dies again is charged a crash. See tenure job list reason=suspect",
          found_ == 1 ? "There is 1 job" : fmt::format("There are {} jobs", found_)),
      {},
      {}});
}

bool Suspects::hold_others(Instant now) const {
  if (unread_after_ || trial_ || is_beginning_) return true;
  if (waiting_.empty()) return false;
  const auto is_unknown = [&](const Waiting& each) { return !lanes_.is_known(each.job.tenant); };
  if (first_possible() != nullptr || std::ranges::any_of(waiting_, is_unknown)) return true;
  // The process that performs them may be about to say hello.
  const bool is_any_starting = std::ranges::any_of(
      processes_.all(), [](const auto& entry) { return entry.second.phase == Phase::starting; });
  return is_any_starting && now < found_at_ + kQuietMax;
}

std::optional<Suspects::Trial> Suspects::next(Instant now) {
  if (unread_after_ || trial_ || is_beginning_ || waiting_.empty()) return std::nullopt;
  const std::size_t others = outstanding();
  const Waiting* chosen = first_possible();
  const bool is_waited_for = others > performing_.size() && now < holding_since_.value_or(now) + kQuietMax;
  if (chosen == nullptr || is_waited_for || now < chosen->not_before) chosen = first_to_ask(now);
  if (chosen == nullptr) return std::nullopt;
  is_beginning_ = true;
  KeptRooms rooms{settings_, processes_};
  return Trial{chosen->job.seq, process_for(chosen->job, rooms)->number, others == 0, chosen->job.lane};
}

void Suspects::begun(queue::JobSeq seq, Instant now) {
  const auto begun = waiting(seq);
  trial_ = OnTrial{seq, now + trial_time(begun->job.deaths, found_)};
  performing_.insert(seq);
  gone(seq);
}

// In a read-only tenant those of other kinds, and of queues of other pools, may start.
void Suspects::gated(queue::JobSeq seq, TenantState state, Instant now) {
  is_beginning_ = false;
  const auto asked = waiting(seq);
  const TenantNumber tenant = asked->job.tenant;
  const std::string queue = asked->job.queue;
  const std::string kind = asked->job.kind;
  const auto is_alike = [&](const queue::Suspect& job) { return job.queue == queue && job.kind == kind; };
  for (Waiting& each : waiting_) {
    if (each.job.tenant != tenant || (state == TenantState::read_only && !is_alike(each.job))) continue;
    each.is_gated = true;
    each.not_before = now + kGatedWait;
  }
}

void Suspects::gone(queue::JobSeq seq) {
  is_beginning_ = false;
  holding_since_.reset();
  waiting_.erase(waiting(seq));
}

void Suspects::ended(queue::JobSeq seq) {
  if (performing_.erase(seq) == 0) return;
  news_.acquitted.push_back(seq);
  if (trial_ && trial_->seq == seq) trial_.reset();
}

void Suspects::left_to_be_alone(queue::JobSeq seq) {
  performing_.erase(seq);
  if (trial_ && trial_->seq == seq) trial_.reset();
}

void Suspects::tick(Instant now) {
  if (trial_ && now >= trial_->until) {
    news_.outlived.push_back(trial_->seq);
    trial_.reset();
  }
  if (waiting_.empty() || first_possible() == nullptr) return holding_since_.reset();
  if (!holding_since_) holding_since_ = now;
}

std::optional<Instant> Suspects::next_at() const {
  if (trial_) return trial_->until;
  std::optional<Instant> next;
  const auto consider = [&next](Instant moment) { next = next ? std::min(*next, moment) : moment; };
  if (holding_since_) consider(*holding_since_ + kQuietMax);
  for (const Waiting& each : waiting_)
    if (each.is_gated || each.job.was_alone) consider(each.not_before);
  return next;
}

std::optional<Suspects::News> Suspects::take_news() {
  if (news_.outlived.empty() && news_.acquitted.empty()) return std::nullopt;
  return std::exchange(news_, {});
}

void Suspects::not_told(const News& news) {
  news_.outlived.insert(news_.outlived.end(), news.outlived.begin(), news.outlived.end());
  news_.acquitted.insert(news_.acquitted.end(), news.acquitted.begin(), news.acquitted.end());
}

std::vector<Suspects::Waiting>::iterator Suspects::find(queue::JobSeq seq) {
  return std::ranges::find_if(waiting_, [&](const Waiting& each) { return each.job.seq == seq; });
}

std::vector<Suspects::Waiting>::iterator Suspects::waiting(queue::JobSeq seq) {
  const auto found = find(seq);
  TENURE_INVARIANT(found != waiting_.end());
  return found;
}

Process* Suspects::process_for(const queue::Suspect& job, KeptRooms& rooms) const {
  Process* best = nullptr;
  if (lanes_.is_paused(job.queue, job.kind) || !lanes_.has_room(job.lane)) return best;
  for (auto& [number, process] : processes_.all()) {
    if (process.free_slots() == 0 || !lanes_.performs(process.pool, process.offer, job.kind) ||
        !takes(process.pool, job, rooms))
      continue;
    if (best == nullptr || process.jobs.size() < best->jobs.size()) best = &process;
  }
  return best;
}

std::vector<TenantNumber> Suspects::tenants() const {
  std::vector<TenantNumber> tenants;
  for (const Waiting& each : waiting_) tenants.push_back(each.job.tenant);
  return tenants;
}

bool Suspects::takes(std::size_t pool, const queue::Suspect& job, KeptRooms& rooms) const {
  const PoolSettings& settings = settings_.pools[pool];
  return std::ranges::find(settings.queues, job.queue) != settings.queues.end() &&
         lanes_.takes_tenant(pool, job.tenant) && rooms.of(pool).room(job.lane.priority) > 0;
}

// Also one that waits for its time still.
const Suspects::Waiting* Suspects::first_possible() const {
  KeptRooms rooms{settings_, processes_};
  for (const Waiting& each : waiting_)
    if (!each.is_gated && process_for(each.job, rooms) != nullptr) return &each;
  return nullptr;
}

const Suspects::Waiting* Suspects::first_to_ask(Instant now) const {
  KeptRooms rooms{settings_, processes_};
  for (const Waiting& each : waiting_)
    if (each.is_gated && each.not_before <= now && process_for(each.job, rooms) != nullptr) return &each;
  return nullptr;
}

std::size_t Suspects::outstanding() const {
  std::size_t jobs = 0;
  for (const auto& [number, process] : processes_.all()) jobs += process.jobs.size();
  return jobs;
}

}  // namespace tenure::daemon
