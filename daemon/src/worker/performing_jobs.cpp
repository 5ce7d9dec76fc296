#include "performing_jobs.hpp"

#include <tenure/base/log.hpp>

#include <fmt/format.h>

namespace tenure::daemon {

PerformingJobs::Entry::Entry(PerformingJobs& jobs, const queue::AssignedJob& job, Instant since)
    : jobs_(jobs), job_(job), since_(since), node_{this}, place_(node_.begin()) {
  const std::lock_guard lock(jobs_.mutex_);
  jobs_.entries_.splice(jobs_.entries_.end(), node_);
}

// In a child that a handler has forked nobody may ever open the lock again.
PerformingJobs::Entry::~Entry() {
  if (jobs_.process_.is_inherited()) return;
  const std::lock_guard lock(jobs_.mutex_);
  node_.splice(node_.end(), jobs_.entries_, place_);
}

// Under the lock, so that no job ends under the line that tells of it: the log waits for nobody.
void PerformingJobs::describe(Instant now) {
  const std::lock_guard lock(mutex_);
  log::write(log::Level::info, "worker.slots", fmt::format("{} jobs are performed", entries_.size()));
  for (const Entry* entry : entries_) {
    const queue::AssignedJob& job = entry->job_;
    const log::Context context(job.tenant ? job.tenant->text() : "", job.generation.value, job.id.text());
    log::write(
        log::Level::info, "slot.performing", "a slot performs this job",
        {.kind = job.kind, .attempt = job.attempt, .duration_ms = (now - entry->since_).count() / 1000});
  }
}

}  // namespace tenure::daemon
