#include "lone_jobs.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void LoneJobs::suspected(queue::JobSeq seq, const queue::Lane& lane, const Alone& alone, Instant now) {
  if (alone.one_at_a_time) lacked_memory(seq);
  if (const auto present = find(seq); present != waiting_.end()) {
    present->alone = alone;
    present->has_pool = true;
    find_pool(*present);
    return;
  }
  const Instant not_before = alone.vain_tries > 0 ? now + restart_wait(alone.vain_tries) : Instant{};
  add({.seq = seq, .tenant = lane.tenant, .lane = lane, .alone = alone, .not_before = not_before});
}

// Of one that a dispatcher before this one has left, nobody knows what its process died of.
void LoneJobs::found(const queue::Suspect& job) {
  if (find(job.seq) != waiting_.end()) return;
  add({.seq = job.seq,
       .tenant = job.tenant,
       .lane = job.lane,
       .alone = {.one_at_a_time = lacked_memory_.contains(job.seq), .queue = job.queue, .kind = job.kind},
       .has_pool = false});
}

void LoneJobs::lacked_memory(queue::JobSeq seq) {
  lacked_memory_.insert(seq);
  if (lacked_memory_.size() > kLackedMemoryMax) lacked_memory_.erase(lacked_memory_.begin());
}

void LoneJobs::add(Waiting job) {
  job.is_gated = std::ranges::any_of(
      waiting_, [&](const Waiting& other) { return other.tenant == job.tenant && other.is_gated; });
  find_pool(job);
  waiting_.push_back(std::move(job));
}

void LoneJobs::find_pools() {
  for (Waiting& job : waiting_) find_pool(job);
}

// It stays where it is while that pool performs it.
void LoneJobs::find_pool(Waiting& job) const {
  Alone& alone = job.alone;
  if (job.is_being_claimed || alone.queue.empty() || alone.kind.empty()) return;
  if (job.has_pool && lanes_.is_for(alone.pool, job.tenant, alone.queue, alone.kind)) return;
  const auto pool = lanes_.pool_for(job.tenant, alone.queue, alone.kind);
  job.has_pool = pool.has_value();
  alone.pool = pool.value_or(0);
}

// One that nothing is claimed for would hold one of the places of all pools.
bool LoneJobs::is_of_use(const Waiting& job) const {
  if (job.is_being_claimed) return true;
  const Process* const process = processes_.find(*job.process);
  const bool is_in_its_pool = process != nullptr && process->pool == job.alone.pool;
  return job.has_pool && is_in_its_pool && !processes_.is_quiet(job.alone.pool);
}

void LoneJobs::tick(Instant now, Actions& actions) {
  for (const Waiting& job : waiting_) lanes_.met(job.tenant);
  for (Waiting& job : waiting_)
    if (job.process && !is_of_use(job)) job.process.reset();
  drain_unwanted(actions);
  if (waiting_.empty()) return;
  std::size_t alive = processes_alive();
  std::vector<bool> taken = taken_pools();
  Lanes::Expected expected_starts = expected();
  for (Waiting& job : waiting_) {
    if (alive >= kLoneProcessesMax) return;
    if (!may_start(job, taken, expected_starts) || now < job.not_before) continue;
    lanes_.expect(job.lane, expected_starts);
    job.process = processes_.start_for_suspect(job.alone, now, actions);
    if (job.alone.one_at_a_time) taken[job.alone.pool] = true;
    ++alive;
  }
}

std::optional<Instant> LoneJobs::next_at() const {
  std::optional<Instant> next;
  if (waiting_.empty() || processes_alive() >= kLoneProcessesMax) return next;
  const std::vector<bool> taken = taken_pools();
  const Lanes::Expected expected_starts = expected();
  for (const Waiting& job : waiting_)
    if (may_start(job, taken, expected_starts))
      next = next ? std::min(*next, job.not_before) : job.not_before;
  return next;
}

std::vector<bool> LoneJobs::taken_pools() const {
  std::vector<bool> taken(processes_.pools());
  for (const auto& [number, process] : processes_.all())
    if (process.alone && process.alone->one_at_a_time) taken[process.pool] = true;
  return taken;
}

// As many processes as a limit has room for: more would wait, and hold places that others need.
Lanes::Expected LoneJobs::expected() const {
  Lanes::Expected expected;
  if (!lanes_.has_limits()) return expected;
  for (const Waiting& job : waiting_)
    if (job.process && !job.is_being_claimed) lanes_.expect(job.lane, expected);
  return expected;
}

bool LoneJobs::may_start(const Waiting& job, const std::vector<bool>& taken,
                         const Lanes::Expected& expected) const {
  if (job.alone.one_at_a_time && taken[job.alone.pool]) return false;
  return job.has_pool && !job.process && !job.is_being_claimed && !job.is_gated &&
         !processes_.is_quiet(job.alone.pool) && lanes_.has_room(job.lane, expected);
}

// It had not got its job yet: the program does not start, or somebody has ended it.
void LoneJobs::process_gone(Process& dead, const WorkerGone& gone, Instant now, Actions& actions) {
  const auto job = std::ranges::find(waiting_, dead.number, &Waiting::process);
  if (job == waiting_.end()) return;
  const auto wait = restart_wait(++job->alone.vain_tries);
  job->process.reset();
  job->not_before = now + wait;
  if (dead.was_ended_by_stop) return;
  dead.is_delay_told = true;
  if (const auto left_out = delay_lines_[dead.pool].pass(now))
    processes_.note_delay(dead, gone, wait, *left_out, actions);
}

std::optional<std::int64_t> LoneJobs::DelayLines::pass(Instant now) {
  if (!second_ || now - *second_ >= std::chrono::seconds{1}) {
    second_ = now;
    passed_ = 0;
  }
  if (passed_ == kDelayLinesMax) {
    ++left_out_;
    return std::nullopt;
  }
  ++passed_;
  return std::exchange(left_out_, 0);
}

std::set<TenantNumber> LoneJobs::gated_tenants() const {
  std::set<TenantNumber> tenants;
  for (const Waiting& job : waiting_)
    if (job.is_gated) tenants.insert(job.tenant);
  return tenants;
}

// The claims that are under way are answered by themselves.
void LoneJobs::set_tenant_state(TenantNumber tenant, TenantState state) {
  if (state == TenantState::deleted) {
    std::erase_if(waiting_,
                  [&](const Waiting& job) { return job.tenant == tenant && !job.is_being_claimed; });
    return;
  }
  for (Waiting& job : waiting_) {
    if (job.tenant != tenant) continue;
    const bool reads = state == TenantState::read_only && lanes_.is_read_in(job.alone.pool, job.alone.kind);
    job.is_gated = state != TenantState::active && !reads;
    if (job.is_gated && !job.is_being_claimed) job.process.reset();
  }
}

std::vector<LoneJobs::Claim> LoneJobs::take() {
  std::vector<Claim> claims;
  for (Waiting& job : waiting_) {
    const Process* const process = job.process ? processes_.find(*job.process) : nullptr;
    if (job.is_being_claimed || process == nullptr || process->phase != Phase::ready || process->is_quiet ||
        !lanes_.has_room(job.lane))
      continue;
    lanes_.plan_start(job.lane);
    job.is_being_claimed = true;
    claims.push_back({job.seq, process->number});
  }
  return claims;
}

Alone LoneJobs::gone(queue::JobSeq seq) {
  const auto job = known(seq);
  const Alone alone = job->alone;
  waiting_.erase(job);
  return alone;
}

// What the store says of this one holds for those of its queue and kind until the tenant's state is asked again, whatever their pool's
// programs have said of the kind; it frees none.
void LoneJobs::gated(queue::JobSeq seq, TenantState state) {
  const auto job = known(seq);
  job->is_being_claimed = false;
  find_pool(*job);
  const TenantNumber tenant = job->tenant;
  if (state == TenantState::deleted) return set_tenant_state(tenant, state);
  const Alone asked = job->alone;
  for (Waiting& other : waiting_) {
    if (other.tenant != tenant) continue;
    const bool is_alike = other.alone.queue == asked.queue && other.alone.kind == asked.kind;
    const bool reads =
        !is_alike && state == TenantState::read_only && lanes_.is_read_in(other.alone.pool, other.alone.kind);
    if (reads) continue;
    other.is_gated = true;
    if (!other.is_being_claimed) other.process.reset();
  }
}

void LoneJobs::not_begun(queue::JobSeq seq) {
  const auto job = known(seq);
  job->is_being_claimed = false;
  find_pool(*job);
}

// It has no use without its job: nothing of a lane may come to it.
void LoneJobs::drain_unwanted(Actions& actions) {
  for (auto& [number, process] : processes_.all()) {
    if (!process.alone || process.phase == Phase::leaving || process.jobs.size() > 0) continue;
    if (std::ranges::find(waiting_, number, &Waiting::process) == waiting_.end())
      Processes::drain(process, actions);
  }
}

std::vector<LoneJobs::Waiting>::iterator LoneJobs::find(queue::JobSeq seq) {
  return std::ranges::find(waiting_, seq, &Waiting::seq);
}

std::vector<LoneJobs::Waiting>::iterator LoneJobs::known(queue::JobSeq seq) {
  const auto job = find(seq);
  TENURE_INVARIANT(job != waiting_.end());
  return job;
}

std::size_t LoneJobs::processes_alive() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      processes_.all(), [](const auto& entry) { return entry.second.alone.has_value(); }));
}

}  // namespace tenure::daemon
