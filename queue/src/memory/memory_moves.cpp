#include "../job_rules.hpp"
#include "memory_writer.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>

namespace tenure::queue {

std::vector<JobArrival> MemoryWriter::promote(WallTime now, std::size_t limit) {
  std::vector<JobArrival> jobs;
  while (jobs.size() < limit && !tables_.scheduled().empty() && tables_.scheduled().begin()->due <= now)
    jobs.push_back(admit(tables_.scheduled().begin()->seq));
  return jobs;
}

std::vector<ExpiredJob> MemoryWriter::expire(WallTime now, std::size_t limit) {
  std::vector<std::pair<WallTime, JobSeq>> late;
  for (const auto& [seq, start_before] : tables_.start_times())
    if (start_before <= now && !tables_.claims().contains(seq)) late.emplace_back(start_before, seq);
  std::ranges::sort(late);
  if (late.size() > limit) late.resize(limit);
  std::vector<ExpiredJob> expired;
  for (const auto& [start_before, seq] : late) {
    leave_place(seq);
    MemoryJob job = tables_.jobs().at(seq);
    job.state = JobState::discarded;
    job.reason = JobReason::expired;
    job.finished = now;
    tables_.update_job(seq, job);
    free_unique(seq);
    batches_.ended(seq, JobState::discarded, now);
    mark_outbox_of(job.lane.tenant, now);
    expired.push_back({seq, job.id, job.lane});
  }
  return expired;
}

std::optional<WallTime> MemoryWriter::next_expiry(WallTime now) {
  std::optional<WallTime> next;
  for (const auto& [seq, start_before] : tables_.start_times()) {
    const bool counts = start_before > now || !tables_.claims().contains(seq);
    if (counts && (!next || start_before < *next)) next = start_before;
  }
  return next;
}

DrawnIn MemoryWriter::draw_in_retries(LanePlace after, std::size_t limit,
                                      FunctionRef<std::chrono::microseconds(int)> wait_max, WallTime now) {
  // The whole page before its jobs get other places.
  std::vector<LanePlace> page;
  const auto& scheduled = tables_.scheduled();
  for (auto next = scheduled.upper_bound(after); next != scheduled.end() && page.size() < limit; ++next)
    page.push_back(*next);
  DrawnIn drawn;
  if (page.size() == limit) drawn.read_until = page.back();
  for (const LanePlace& place : page) {
    MemoryJob job = tables_.jobs().at(place.seq);
    const WallTime due_max = now + wait_max(job.failures);
    if (job.reason != JobReason::retry_wait || job.due <= due_max) continue;
    job.due = due_max;
    tables_.update_job(place.seq, job);
    drawn.due.push_back(due_max);
  }
  return drawn;
}

std::vector<JobArrival> MemoryWriter::unblock(JobReason reason, JobSeq after, std::size_t limit) {
  std::vector<JobSeq> seqs;
  const auto& blocked = tables_.blocked();
  for (auto next = blocked.upper_bound(after); next != blocked.end() && seqs.size() < limit; ++next)
    if (tables_.jobs().at(*next).reason == reason) seqs.push_back(*next);
  std::vector<JobArrival> jobs;
  jobs.reserve(seqs.size());
  for (const JobSeq seq : seqs) jobs.push_back(admit(seq));
  return jobs;
}

JobArrival MemoryWriter::move_to_ready(JobSeq seq) {
  MemoryJob job = tables_.jobs().at(seq);
  job.state = JobState::ready;
  job.reason = JobReason::none;
  tables_.update_job(seq, job);
  return arrival_of(seq, job);
}

std::vector<JobArrival> MemoryWriter::reclaim_of_former_holders(Incarnation current, std::size_t limit,
                                                                WallTime now) {
  std::vector<ClaimRef> former;
  for (const auto& [seq, claim] : tables_.claims())
    if (former.size() < limit && claim.token.incarnation != current) former.push_back({seq, claim.token});
  std::vector<JobArrival> jobs;
  const AttemptFailure failure = reclaimed_from_former_holder();
  for (const ClaimRef& claim : former) {
    const auto ended = end_claim(claim);
    TENURE_INVARIANT(ended.has_value());
    add_attempt(claim.seq, *ended, AttemptOutcome::interrupted, failure, now);
    if (is_suspect_of_process(claim.seq)) {
      block(claim.seq, JobReason::suspect);
      pass_on(ended->key, claim.seq);
    } else {
      acquit(claim.seq);
      ready_again(claim.seq, ended->key);
    }
    jobs.push_back(arrival_of(claim.seq, tables_.jobs().at(claim.seq)));
  }
  return jobs;
}

std::vector<JobArrival> MemoryWriter::take_lane_hints(std::size_t limit) {
  std::vector<JobArrival> jobs;
  std::int64_t last = 0;
  std::size_t read = 0;
  for (const auto& [number, seq] : tables_.hints()) {
    if (read++ == limit) break;
    last = number;
    const auto job = tables_.jobs().find(seq);
    if (job != tables_.jobs().end())
      jobs.push_back(arrival_of(seq, job->second));  // else it was deleted since
  }
  tables_.erase_hints(last);
  return jobs;
}

Incarnation MemoryWriter::open_incarnation(std::int64_t seconds_since_2020, std::string_view node,
                                           std::int64_t pid, WallTime now) {
  const Incarnation incarnation{std::max(newest_incarnation().value + 1, seconds_since_2020)};
  tables_.insert_holder({incarnation, std::string{node}, pid, now});
  return incarnation;
}

Incarnation MemoryWriter::newest_incarnation() {
  return tables_.holders().empty() ? Incarnation{} : tables_.holders().rbegin()->first;
}

void MemoryWriter::tell_pools(Incarnation incarnation, std::span<const PoolRecord> pools) {
  std::map<std::string, MemoryPool> told;
  for (const PoolRecord& pool : pools) {
    MemoryPool& row = told[pool.name];
    row = {incarnation, pool};
    for (std::vector<std::string>* const names :
         {&row.record.queues, &row.record.kinds, &row.record.default_queues, &row.record.reads_only})
      sort_uniquely(*names);
    if (pool.workers > 0) continue;
    const auto before = tables_.pools().find(pool.name);
    const PoolRecord last = before == tables_.pools().end() ? PoolRecord{} : before->second.record;
    row.record.kinds = last.kinds;
    row.record.default_queues = last.default_queues;
    row.record.schemas = last.schemas;
    row.record.reads_only = last.reads_only;
  }
  tables_.set_pools(std::move(told));
}

}  // namespace tenure::queue
