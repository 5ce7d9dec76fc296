#include <tenure/queue/receipt_time.hpp>
#include <tenure/queue/retention.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

std::chrono::microseconds kept_for(const EndedJob& job, const Retention& rules) {
  switch (job.state) {
    case JobState::succeeded: {
      const bool needed_long = job.finished - job.created > kNeededLong;
      return needed_long ? std::max<std::chrono::microseconds>(rules.succeeded, kReceiptsKeptFor)
                         : std::chrono::microseconds{rules.succeeded};
    }
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

}  // namespace

bool is_prunable(const EndedJob& job, const PrunePass& pass, WallTime now) {
  if (!is_final(job.state)) return false;
  const bool is_one_too_many = job.state == JobState::dead && job.seq <= pass.dead_until;
  const auto kept = is_one_too_many ? std::chrono::microseconds{kRetentionMin} : kept_for(job, pass.rules);
  return job.finished <= now - std::max<std::chrono::microseconds>(kept, kRetentionMin);
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
