#include <tenure/queue/receipt_time.hpp>
#include <tenure/queue/retention.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

std::chrono::microseconds kept_for(const EndedJob& job, const Retention& rules) {
  switch (job.state) {
    case JobState::succeeded:
      return rules.succeeded;
    case JobState::dead:
      return rules.dead;
    case JobState::discarded:
      return rules.discarded;
    case JobState::cancelled:
      return rules.cancelled;
    case JobState::scheduled:
    case JobState::ready:
    case JobState::blocked:
      break;
  }
  return std::chrono::microseconds::max();
}

// However it has ended, it may have left receipts long before that, which are forgotten once its row is gone: a backup that still has the
// job unended looks for them.
std::chrono::microseconds kept_at_least(const EndedJob& job) {
  return job.finished - job.created > kNeededLong ? kReceiptsKeptFor : kRetentionMin;
}

}  // namespace

bool is_prunable(const EndedJob& job, const PrunePass& pass, WallTime now) {
  if (!is_final(job.state)) return false;
  const bool is_one_too_many = job.state == JobState::dead && job.seq <= pass.dead_until;
  const auto kept = is_one_too_many ? std::chrono::microseconds{0} : kept_for(job, pass.rules);
  return job.finished <= now - std::max(kept, kept_at_least(job));
}

Pruned& Pruned::operator+=(const Pruned& other) {
  succeeded += other.succeeded;
  dead += other.dead;
  discarded += other.discarded;
  cancelled += other.cancelled;
  return *this;
}

void count(Pruned& pruned, JobState state) {
  switch (state) {
    case JobState::succeeded:
      ++pruned.succeeded;
      return;
    case JobState::dead:
      ++pruned.dead;
      return;
    case JobState::discarded:
      ++pruned.discarded;
      return;
    case JobState::cancelled:
      ++pruned.cancelled;
      return;
    case JobState::scheduled:
    case JobState::ready:
    case JobState::blocked:
      return;
  }
}

}  // namespace tenure::queue
