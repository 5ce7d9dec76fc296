#include "lone_jobs.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::daemon {

void LoneJobs::tick(Instant now, Actions& actions) {
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

void LoneJobs::gone(queue::JobSeq seq) { waiting_.erase(find(seq)); }

void LoneJobs::gated(queue::JobSeq seq, Instant now) {
  const auto job = find(seq);
  job->is_being_claimed = false;
  job->not_before = now + kLoneGatedWait;
}

void LoneJobs::not_begun(queue::JobSeq seq) { find(seq)->is_being_claimed = false; }

std::vector<LoneJobs::Waiting>::iterator LoneJobs::find(queue::JobSeq seq) {
  const auto job = std::ranges::find(waiting_, seq, &Waiting::seq);
  TENURE_INVARIANT(job != waiting_.end());
  return job;
}

std::size_t LoneJobs::processes_alive() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(processes_.all(), [](const auto& entry) { return entry.second.is_for_suspect; }));
}

}  // namespace tenure::daemon
