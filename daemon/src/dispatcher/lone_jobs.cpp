#include "lone_jobs.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::daemon {

void LoneJobs::suspected(queue::JobSeq seq, std::size_t pool) {
  const auto known = find(seq);
  if (known != waiting_.end()) known->pool = pool;
  else waiting_.push_back({.seq = seq, .pool = pool});
}

void LoneJobs::tick(Instant now, Actions& actions) {
  drain_unwanted(actions);
  if (waiting_.empty()) return;
  std::size_t alive = processes_alive();
  for (Waiting& job : waiting_) {
    if (alive >= kLoneProcessesMax) return;
    if (job.process || job.is_being_claimed || now < job.not_before || processes_.is_quiet(job.pool))
      continue;
    job.process = processes_.start_for_suspect(job.pool, now, actions);
    ++alive;
  }
}

std::optional<Instant> LoneJobs::next_at() const {
  std::optional<Instant> next;
  if (waiting_.empty() || processes_alive() >= kLoneProcessesMax) return next;
  for (const Waiting& job : waiting_)
    if (!job.process && !processes_.is_quiet(job.pool))
      next = next ? std::min(*next, job.not_before) : job.not_before;
  return next;
}

// It had not got its job yet: the program does not start, or somebody has ended it.
void LoneJobs::process_gone(ProcessNumber process, Instant now) {
  const auto job = std::ranges::find(waiting_, process, &Waiting::process);
  if (job == waiting_.end()) return;
  job->process.reset();
  job->not_before = std::max(job->not_before, now + restart_wait(++job->vain_starts));
}

std::vector<LoneJobs::Claim> LoneJobs::take() {
  std::vector<Claim> claims;
  for (Waiting& job : waiting_) {
    const Process* const process = job.process ? processes_.find(*job.process) : nullptr;
    if (job.is_being_claimed || process == nullptr || process->phase != Phase::ready || process->is_quiet)
      continue;
    job.is_being_claimed = true;
    claims.push_back({job.seq, process->number});
  }
  return claims;
}

void LoneJobs::gone(queue::JobSeq seq) { waiting_.erase(known(seq)); }

void LoneJobs::gated(queue::JobSeq seq, Instant now) {
  const auto job = known(seq);
  job->is_being_claimed = false;
  job->process.reset();
  job->not_before = now + kLoneGatedWait;
}

void LoneJobs::not_begun(queue::JobSeq seq) { known(seq)->is_being_claimed = false; }

// It has no use without its job: nothing of a lane may come to it.
void LoneJobs::drain_unwanted(Actions& actions) {
  for (auto& [number, process] : processes_.all()) {
    if (!process.is_for_suspect || process.phase == Phase::leaving || process.jobs.size() > 0) continue;
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
  return static_cast<std::size_t>(
      std::ranges::count_if(processes_.all(), [](const auto& entry) { return entry.second.is_for_suspect; }));
}

}  // namespace tenure::daemon
