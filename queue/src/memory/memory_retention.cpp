#include "memory_writer.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

EndedJob ended_of(JobSeq seq, const MemoryJob& job) {
  return {seq, job.state, job.created, job.finished.value_or(WallTime::max())};
}

}  // namespace

PrunePass MemoryReader::begin_pruning(const Retention& rules) {
  PrunePass pass{.rules = rules};
  std::int64_t dead = 0;
  for (auto job = tables_.jobs().rbegin(); job != tables_.jobs().rend(); ++job)
    if (job->second.state == JobState::dead && ++dead == rules.dead_max + 1) pass.dead_until = job->first;
  return pass;
}

PrunableJobs MemoryReader::prunable_jobs(JobSeq after, const PrunePass& pass, WallTime now,
                                         std::size_t looks_max) {
  PrunableJobs found{.jobs = {}, .counted = {}, .looked_until = after};
  std::size_t looks = 0;
  for (auto next = tables_.jobs().upper_bound(after); next != tables_.jobs().end() && looks < looks_max;
       ++next, ++looks) {
    found.looked_until = next->first;
    const bool is_newest = next->first == tables_.last_seq();
    if (is_newest || !is_prunable(ended_of(next->first, next->second), pass, now)) continue;
    found.jobs.push_back(next->first);
    count(found.counted, next->second.state);
  }
  found.is_end = looks < looks_max;
  return found;
}

Pruned MemoryWriter::prune(std::span<const JobSeq> jobs, const PrunePass& pass, WallTime now) {
  Pruned pruned;
  for (const JobSeq seq : jobs) {
    const auto found = tables_.jobs().find(seq);
    if (found == tables_.jobs().end() || seq == tables_.last_seq()) continue;
    const JobState state = found->second.state;
    if (!is_prunable(ended_of(seq, found->second), pass, now)) continue;
    batches_.removed(seq);
    tables_.erase_job(seq);
    acquit(seq);
    count(pruned, state);
  }
  return pruned;
}

}  // namespace tenure::queue
