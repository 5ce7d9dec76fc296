#include "../job_rules.hpp"
#include "key_rows.hpp"
#include "places.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 id. Index: unique id.
constexpr Query kNamedJob{"named_job", R"sql(
  select seq, queue, priority, tenant, kind, due_us, state, reason from job where id = ?1)sql"};

// A new budget; the attempt rows keep what was. ?1 seq  ?2 now_us. Index: primary key.
constexpr Query kRetryByOperator{"retry_by_operator", R"sql(
  update job set state = 1, reason = 0, due_us = ?2, failures = 0, crashes = 0, started_us = created_us,
    finished_us = created_us
  where seq = ?1)sql"};

// ?1 seq. Index: primary key.
constexpr Query kEnvelopeOfRetry{"envelope_of_retry", "select envelope from job where seq = ?1"};

// ?1 seq  ?2 due_us. Index: primary key.
constexpr Query kRunByOperator{"run_by_operator",
                               "update job set state = 1, reason = 0, due_us = ?2 where seq = ?1"};

// ?1 seq  ?2 queue  ?3 priority  ?4 due_us  ?5 reason. Index: primary key.
constexpr Query kChangeByOperator{"change_by_operator", R"sql(
  update job set state = 1, queue = ?2, priority = ?3, due_us = ?4, reason = ?5 where seq = ?1)sql"};

// What a damaged file has lost is null. ?1 id. Index: unique id.
constexpr Query kCopiedJob{"copied_job", R"sql(
  select tenant.name, tenant.generation, queue.name, kind.name, job.priority, job.attempts_max, job.envelope,
    job.seq
  from job
  left join tenant on tenant.number = job.tenant
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  where job.id = ?1)sql"};

// ?1 seq  ?2 state  ?3 reason  ?4 started_us  ?5 now_us. Index: primary key.
constexpr Query kEndByOperator{"end_by_operator", R"sql(
  update job set state = ?2, reason = ?3, started_us = ?4, finished_us = ?5 where seq = ?1)sql"};

// ?1 seq.
constexpr Query kInsertLaneHint{"insert_lane_hint", "insert into lane_hint(seq) values (?1)"};

// Index: primary key, its end.
constexpr Query kNewestJob{"newest_job", "select max(seq) from job"};

// ?1 seq. Index: primary keys.
constexpr Query kDeleteAttempts{"delete_attempts", "delete from attempt where seq = ?1"};
constexpr Query kDeleteJob{"delete_job", "delete from job where seq = ?1"};

tl::unexpected<Failure> in_no_lane(JobId id, std::int64_t priority) {
  return fail(ErrorCode::database_damaged, "the row of job " + id.text() + " has the priority " +
                                               std::to_string(priority) + ", which no job can have");
}

}  // namespace

std::optional<SqliteWriter::NamedJob> SqliteWriter::named_row(JobId id) {
  if (fresh_.is_in_use()) static_cast<void>(fresh());  // before any place is looked at: it may absorb
  NamedJob job;
  job.id = id;
  {
    auto row = connection_.statement(kNamedJob);
    if (!row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step()) return std::nullopt;
    const auto lane = lane_in(row, 1);
    job.has_lane = lane.has_value();
    job.lane = lane.value_or(Lane{});
    job.priority = row.integer(2);
    job.place = {from_us(row.integer(5)), JobSeq{row.integer(0)}};
    if (is_final_row(row.integer(6))) job.state = job_state_of(row.integer(6));
    job.reason = job_reason_of(row.integer(7));
  }
  job.is_running = is_claimed(connection_, job.place.seq);
  return job;
}

Result<SqliteWriter::NamedJob> SqliteWriter::named_job(JobId id) {
  auto job = named_row(id);
  if (!job) return no_such_job(id);
  if (!is_final(job->state) && !job->is_running) find_place(*job);
  return *std::move(job);
}

std::optional<SqliteWriter::NamedJob> SqliteWriter::named_job_in_place(JobId id) {
  auto job = named_row(id);
  if (!job || !job->has_lane || is_final(job->state) || job->is_running) return std::nullopt;
  job->is_fresh = !find_placed(*job);
  return job;
}

bool SqliteWriter::find_placed(NamedJob& job) {
  if (is_in_ready(connection_, job.lane, job.place)) return true;
  if (is_scheduled(connection_, job.place)) job.state = JobState::scheduled;
  else if (is_blocked(connection_, job.place.seq)) job.state = JobState::blocked;
  else return false;
  return true;
}

void SqliteWriter::find_place(NamedJob& job) {
  if (find_placed(job)) return;
  // All of it at once, since a command names hundreds in one transaction.
  if (!ended_) ended_.emplace(connection_);
  if (ended_->contains(job.place.seq)) job.state = JobState::succeeded;
  else job.is_fresh = true;
}

Result<SqliteWriter::NamedJob> SqliteWriter::named_job_for(Transition transition, JobId id, JobState to) {
  auto job = named_job(id);
  if (!job) return job;
  if (auto allowed = check_named(transition, *job, to); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  return job;
}

Result<void> SqliteWriter::check_named(Transition transition, const NamedJob& job, JobState to) {
  if (!job.has_lane) return in_no_lane(job.id, job.priority);
  return check_operator(transition, job.id, job.seen(), to);
}

void SqliteWriter::leave_place(const NamedJob& job) {
  switch (job.state) {
    case JobState::scheduled:
      return delete_scheduled(connection_, job.place);
    case JobState::blocked:
      if (const auto key = key_rows_.concurrency_of(job.place.seq))
        key_rows_.leave_line(key->key, job.lane, job.place);
      return delete_blocked(connection_, job.place.seq);
    case JobState::ready:
      if (job.is_fresh) fresh_.withdraw(connection_, job.lane, job.place);
      else delete_ready(connection_, job.lane, job.place, job.place);
      if (const auto key = key_rows_.concurrency_of(job.place.seq)) pass_on(key->key, job.place.seq);
      return;
    case JobState::succeeded:
    case JobState::dead:
    case JobState::discarded:
    case JobState::cancelled:
      return;
  }
}

// A dispatcher learns of a suspect when it promotes it.
void SqliteWriter::place_in_lane(const NamedJob& job, WallTime due) {
  if (is_suspect_of_process(job.place.seq))
    return insert_scheduled(connection_, job.lane, {due, job.place.seq});
  if (lines_up(job.lane, {due, job.place.seq})) return;
  insert_ready(connection_, job.lane, {due, job.place.seq});
  hint_at(job.place.seq);
}

void SqliteWriter::hint_at(JobSeq seq) { connection_.statement(kInsertLaneHint).bind(seq.value).run(); }

Result<void> SqliteWriter::retry_by_operator(JobId id, WallTime now) {
  const auto job = named_job_for(Transition::retry_by_operator, id, JobState::ready);
  if (!job) return tl::unexpected(job.error());
  if (auto owner = check_tenant_of_retry(job->lane.tenant); !owner) return owner;
  if (auto sealed = check_seal_of_retry(job->place.seq); !sealed) return sealed;
  const auto is_behind = schedules_.readmit(id, job->place.seq, job->lane.tenant);
  if (!is_behind) return tl::unexpected(is_behind.error());
  if (auto unique = hold_unique_again(job->place.seq, id); !unique) return unique;
  connection_.statement(kRetryByOperator).bind(job->place.seq.value, to_us(now)).run();
  failure_counts_.forget(job->place.seq);
  batches_.revived(job->place.seq);
  if (*is_behind) insert_blocked(connection_, job->lane, {now, job->place.seq}, JobReason::schedule_overlap);
  else place_in_lane(*job, now);
  return {};
}

// What is due already keeps its place before others.
Result<void> SqliteWriter::run_by_operator(JobId id, WallTime now) {
  const auto job = named_job_for(Transition::run_by_operator, id, JobState::ready);
  if (!job) return tl::unexpected(job.error());
  const WallTime due = std::min(job->place.due, now);
  leave_place(*job);
  connection_.statement(kRunByOperator).bind(job->place.seq.value, to_us(due)).run();
  place_in_lane(*job, due);
  return {};
}

Result<void> SqliteWriter::change_by_operator(JobId id, const JobChange& change, WallTime now) {
  if (auto allowed = check_change(change); !allowed) return allowed;
  const auto found = named_job(id);
  if (!found) return tl::unexpected(found.error());
  const ChangedTo to = after_change(change, found->seen(), now);
  if (auto allowed = check_named(Transition::change_by_operator, *found, to.state); !allowed) return allowed;
  NamedJob after = *found;
  if (change.queue) {
    const auto queue = intern_queue(*change.queue);
    if (!queue) return tl::unexpected(queue.error());
    after.lane.queue = *queue;
  }
  after.lane.priority = change.priority.value_or(after.lane.priority);
  after.place.due = change.due.value_or(after.place.due);
  leave_place(*found);
  connection_.statement(kChangeByOperator)
      .bind(after.place.seq.value, after.lane.queue.value, after.lane.priority.value, to_us(after.place.due),
            static_cast<int>(to.reason))
      .run();
  if (to.state == JobState::ready) place_in_lane(after, after.place.due);
  else insert_scheduled(connection_, after.lane, after.place);
  return {};
}

Result<CopiedRow> SqliteWriter::copied_row(JobId id) {
  CopiedRow original;
  JobSeq seq;
  {
    auto row = connection_.statement(kCopiedJob);
    if (!row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step()) return no_such_job(id);
    if (const auto name = row.text(0); !name.empty()) {
      auto tenant = TenantName::parse(name);
      if (!tenant) return tl::unexpected(std::move(tenant.error()));
      original.tenant = std::move(*tenant);
    }
    original.generation = Generation{row.integer(1)};
    original.queue = row.text(2);
    original.kind = row.text(3);
    original.priority = Priority{clamped(row.integer(4))};
    original.attempts_max = clamped(row.integer(5));
    original.envelope = as_text(row.blob(6));
    seq = JobSeq{row.integer(7)};
  }
  if (const auto key = key_rows_.concurrency_of(seq)) original.concurrency = stated_concurrency(*key);
  return original;
}

Result<Enqueued> SqliteWriter::copy_by_operator(JobId id, JobId copy, WallTime now) {
  auto original = copied_row(id);
  if (!original) return tl::unexpected(std::move(original.error()));
  auto made = copy_of(id, *std::move(original), seal_marks(), keys_, copy, now);
  if (!made) return tl::unexpected(std::move(made.error()));
  return enqueue_sealed_by(made->may_be_sealed ? keys_ : KeyRing(), made->job, now);
}

Result<void> SqliteWriter::cancel_by_operator(JobId id, WallTime now) {
  return end_waiting(Transition::cancel_by_operator, id, JobState::cancelled, now);
}

Result<void> SqliteWriter::ask_to_cancel(JobId id, WallTime now) {
  const auto job = named_job(id);
  if (!job) return tl::unexpected(job.error());
  if (auto running = check_running(id, {job->state, job->reason, job->is_running}); !running) return running;
  cancel_requests_.add(job->place.seq, now);
  return {};
}

Result<void> SqliteWriter::discard_by_operator(JobId id, WallTime now) {
  return end_waiting(Transition::discard_by_operator, id, JobState::discarded, now);
}

Result<void> SqliteWriter::end_waiting(Transition transition, JobId id, JobState to, WallTime now) {
  const auto job = named_job_for(transition, id, to);
  if (!job) return tl::unexpected(job.error());
  leave_place(*job);
  connection_.statement(kEndByOperator)
      .bind(job->place.seq.value, static_cast<int>(to), static_cast<int>(JobReason::by_operator),
            kNeverStarted, to_us(now))
      .run();
  acquit(job->place.seq);  // also one whose trial has ended a moment ago
  start_times_.forget(job->place.seq);
  key_rows_.free(job->place.seq);
  failure_counts_.forget(job->place.seq);
  batches_.ended(job->place.seq, to, now);
  // A power cut may have undone its claim and kept what its run has written.
  mark_outbox_of(job->lane.tenant, now);
  return {};
}

// A row of `ended` stays where the success was not settled: settling finds no job, and no number comes back.
Result<void> SqliteWriter::delete_by_operator(JobId id) {
  const auto job = named_job(id);
  if (!job) return tl::unexpected(job.error());
  const JobSeq seq = job->place.seq;
  if (auto allowed = check_deletion(id, job->seen()); !allowed) return allowed;
  if (connection_.statement(kNewestJob).row().integer(0) == seq.value) return newest_job_stays(id);
  remove_job(seq);
  return {};
}

void SqliteWriter::remove_job(JobSeq seq) {
  connection_.statement(kDeleteAttempts).bind(seq.value).run();
  connection_.statement(kDeleteJob).bind(seq.value).run();
  told_.forget_cursor(seq);
  forget_result(seq);
  key_rows_.forget(seq);
  forget_captures_of(seq);
  acquit(seq);
  batches_.removed(seq);
}

Result<void> SqliteWriter::check_seal_of_retry(JobSeq seq) {
  if (!seal_marks().current) return {};
  auto row = connection_.statement(kEnvelopeOfRetry);
  return queue::check_seal_of_retry(as_text(row.bind(seq.value).row().blob(0)), seal_marks(), keys_);
}

Result<void> SqliteWriter::check_tenant_of_retry(TenantNumber number) {
  if (number == kUntenanted) return {};
  const auto owner = tenant_numbered(connection_, number);
  if (!owner)
    return fail(ErrorCode::database_damaged,
                "there is no tenant with the number " + std::to_string(number.value));
  const auto newest = newest_tenant(connection_, owner->name);
  if (newest && newest->generation != owner->generation && newest->state != TenantState::deleted)
    return stale_generation(owner->name, owner->generation, newest->generation);
  return check_accepts_jobs(*owner);
}

std::vector<const Query*> operator_queries() {
  return {&kNamedJob,         &kRetryByOperator, &kEnvelopeOfRetry, &kRunByOperator,
          &kChangeByOperator, &kCopiedJob,       &kEndByOperator,   &kInsertLaneHint,
          &kNewestJob,        &kDeleteAttempts,  &kDeleteJob};
}

}  // namespace tenure::queue
