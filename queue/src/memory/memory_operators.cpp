#include "../job_rules.hpp"
#include "memory_writer.hpp"

#include <algorithm>

namespace tenure::queue {

Result<JobSeq> MemoryWriter::named_job_for(Transition transition, JobId id, JobState to) const {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  const MemoryJob& job = tables_.jobs().at(*seq);
  if (auto allowed =
          check_operator(transition, id, {job.state, job.reason, tables_.claims().contains(*seq)}, to);
      !allowed)
    return tl::unexpected(std::move(allowed.error()));
  return *seq;
}

Result<void> MemoryWriter::retry_by_operator(JobId id, WallTime now) {
  const auto seq = named_job_for(Transition::retry_by_operator, id, JobState::ready);
  if (!seq) return tl::unexpected(seq.error());
  MemoryJob job = tables_.jobs().at(*seq);
  if (auto owner = check_tenant_of_retry(job.lane.tenant); !owner) return owner;
  if (auto sealed = check_seal_of_retry(*tables_.envelope(*seq), tables_.seal_marks(), keys_); !sealed)
    return sealed;
  const auto is_behind = schedules_.readmit(id, *seq, job.lane.tenant);
  if (!is_behind) return tl::unexpected(is_behind.error());
  if (auto unique = hold_unique_again(*seq, id); !unique) return unique;
  job.state = JobState::ready;
  job.reason = JobReason::none;
  job.due = now;
  job.failures = 0;
  job.crashes = 0;
  job.started.reset();
  job.finished.reset();
  tables_.forget_failures(*seq);
  batches_.revived(*seq);
  if (!*is_behind) {
    place_in_lane(*seq, job);
    return {};
  }
  tables_.update_job(*seq, job);
  block(*seq, JobReason::schedule_overlap);
  return {};
}

Result<void> MemoryWriter::run_by_operator(JobId id, WallTime now) {
  const auto seq = named_job_for(Transition::run_by_operator, id, JobState::ready);
  if (!seq) return tl::unexpected(seq.error());
  MemoryJob job = tables_.jobs().at(*seq);
  job.state = JobState::ready;
  job.reason = JobReason::none;
  job.due = std::min(job.due, now);
  place_in_lane(*seq, job);
  return {};
}

// A dispatcher learns of a suspect when it promotes it.
void MemoryWriter::place_in_lane(JobSeq seq, MemoryJob job) {
  if (is_suspect_of_process(seq)) job.state = JobState::scheduled;
  tables_.update_job(seq, job);
  if (job.state != JobState::ready) return;
  if (lines_up(seq)) stand_in_line(seq);
  else tables_.add_hint(seq);
}

Result<void> MemoryWriter::change_by_operator(JobId id, const JobChange& change, WallTime now) {
  if (auto allowed = check_change(change); !allowed) return allowed;
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  MemoryJob job = tables_.jobs().at(*seq);
  const OperatorSees seen{job.state, job.reason, tables_.claims().contains(*seq)};
  const ChangedTo to = after_change(change, seen, now);
  if (auto allowed = check_operator(Transition::change_by_operator, id, seen, to.state); !allowed)
    return allowed;
  if (change.queue) {
    const auto queue = intern_queue(*change.queue);
    if (!queue) return tl::unexpected(queue.error());
    job.lane.queue = *queue;
  }
  job.lane.priority = change.priority.value_or(job.lane.priority);
  job.due = change.due.value_or(job.due);
  job.state = to.state;
  job.reason = to.reason;
  leave_place(*seq);
  place_in_lane(*seq, job);
  return {};
}

Result<Enqueued> MemoryWriter::copy_by_operator(JobId id, JobId copy, WallTime now) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  auto made = copy_of(id, copied_row(*seq), tables_.seal_marks(), keys_, copy, now);
  if (!made) return tl::unexpected(std::move(made.error()));
  return enqueue_sealed_by(made->may_be_sealed ? keys_ : KeyRing(), made->job, now);
}

Result<void> MemoryWriter::cancel_by_operator(JobId id, WallTime now) {
  return end_waiting(Transition::cancel_by_operator, id, JobState::cancelled, now);
}

Result<void> MemoryWriter::ask_to_cancel(JobId id, WallTime now) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  const auto claim = tables_.claims().find(*seq);
  const MemoryJob& job = tables_.jobs().at(*seq);
  if (auto running = check_running(id, {job.state, job.reason, claim != tables_.claims().end()}); !running)
    return running;
  if (!tables_.cancel_asked(*seq)) tables_.add_cancel_request({{*seq, claim->second.token}, now});
  return {};
}

Result<void> MemoryWriter::discard_by_operator(JobId id, WallTime now) {
  return end_waiting(Transition::discard_by_operator, id, JobState::discarded, now);
}

Result<void> MemoryWriter::end_waiting(Transition transition, JobId id, JobState to, WallTime now) {
  const auto seq = named_job_for(transition, id, to);
  if (!seq) return tl::unexpected(seq.error());
  leave_place(*seq);
  MemoryJob job = tables_.jobs().at(*seq);
  job.state = to;
  job.reason = JobReason::by_operator;
  job.finished = now;
  tables_.update_job(*seq, job);
  acquit(*seq);
  free_unique(*seq);
  batches_.ended(*seq, to, now);
  // A power cut may have undone its claim and kept what its run has written.
  mark_outbox_of(job.lane.tenant, now);
  return {};
}

Result<void> MemoryWriter::delete_by_operator(JobId id) {
  const auto seq = tables_.seq_of(id);
  if (!seq) return no_such_job(id);
  const MemoryJob& job = tables_.jobs().at(*seq);
  if (auto allowed = check_deletion(id, {job.state, job.reason, tables_.claims().contains(*seq)}); !allowed)
    return allowed;
  if (*seq == tables_.last_seq()) return newest_job_stays(id);
  batches_.removed(*seq);
  tables_.erase_job(*seq);
  acquit(*seq);
  return {};
}

Result<void> MemoryWriter::check_tenant_of_retry(TenantNumber number) const {
  const auto owner = tables_.tenant(number);
  if (!owner) return {};
  const auto newest = tables_.newest_tenant(owner->name);
  if (newest && newest->generation != owner->generation && newest->state != TenantState::deleted)
    return stale_generation(owner->name, owner->generation, newest->generation);
  return check_accepts_jobs(*owner);
}

}  // namespace tenure::queue
