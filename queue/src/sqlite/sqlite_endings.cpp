#include "../job_rules.hpp"
#include "ended_jobs.hpp"
#include "places.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <tenure/base/limits.hpp>

namespace tenure::queue {
namespace {

using sqlite::Query;

// The claim that an end names. No row means that it has moved on: ClaimLost, and the job's row is left alone.
// ?1 seq  ?2 incarnation  ?3 counter. Index: primary key.
constexpr Query kNamedClaim{"named_claim", R"sql(
  select started_us, process, key from claim where seq = ?1 and incarnation = ?2 and counter = ?3)sql"};

// Not `returning`: that builds a table for its row at each call, which costs as much as the rest of a finish.
// ?1 seq. Index: primary key.
constexpr Query kDeleteClaim{"delete_claim", "delete from claim where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kJobOfClaim{"job_of_claim", R"sql(
  select queue, priority, tenant, kind, due_us, state from job where seq = ?1 and state < 4)sql"};

// Counts are kept within their limits: a count that a damaged row holds must not make the update fail, and the round with it.
// ?1 seq  ?2 state  ?3 reason  ?4 started_us  ?5 now_us  ?6 failures to add. Index: primary key.
constexpr Query kFinish{"finish", R"sql(
  update job set state = ?2, reason = ?3, started_us = ?4, finished_us = ?5,
    failures = min(max(failures, 0), 2147483646) + ?6
  where seq = ?1 and state < 4)sql"};

// ?1 seq  ?2 reason  ?3 due_us  ?4 failures to add. Index: primary key.
constexpr Query kRetry{"retry", R"sql(
  update job set state = 1, reason = ?2, due_us = ?3, failures = min(max(failures, 0), 2147483646) + ?4
  where seq = ?1)sql"};

// ?1 seq. Index: primary key.
constexpr Query kCountRelease{
    "count_release", "update job set releases = min(max(releases, 0), 2147483646) + 1 where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kPlace{"place", "update job set state = 1 where seq = ?1 and state = 2"};

// ?1 seq. Index: primary key.
constexpr Query kCountCrash{"count_crash",
                            "update job set crashes = min(max(crashes, 0), 2147483646) + 1 where seq = ?1"};

// Behind the greatest number that an attempt can have; no change where that one is taken too.
// ?1 seq  ?2 performer  ?3 pid  ?4 exit_code  ?5 signal  ?6 outcome  ?7 error_code  ?8 error  ?9 started_us  ?10 now_us
// ?11 incarnation  ?12 counter  ?13 process. Index: primary key.
constexpr Query kInsertAttempt{"insert_attempt", R"sql(
  insert into attempt(seq, number, performer, pid, exit_code, signal, outcome, error_code, error, started_us, finished_us,
    incarnation, counter, process)
  values (?1, (select coalesce(max(number), 0) + 1 from attempt where seq = ?1 and number between 1 and 2147483646), ?2, ?3,
    ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) on conflict (seq, number) do nothing)sql"};

// The newest attempt, if that was a release too. ?1 seq  ?2 performer  ?3 pid  ?4 exit_code  ?5 signal  ?6 error_code  ?7 error
// ?8 started_us  ?9 now_us  ?10 incarnation  ?11 counter  ?12 process. Index: primary key.
constexpr Query kUpdateRelease{"update_release", R"sql(
  update attempt set performer = ?2, pid = ?3, exit_code = ?4, signal = ?5, error_code = ?6, error = ?7, started_us = ?8,
    finished_us = ?9, incarnation = ?10, counter = ?11, process = ?12
  where seq = ?1 and number = (select max(number) from attempt where seq = ?1) and outcome = 2)sql"};

// A loser's outcome, once for each claim, and not where that claim's own end is recorded as a failure already.
// ?1 seq  ?2 performer  ?3 pid  ?4 exit_code  ?5 signal  ?6 error_code  ?7 error  ?8 now_us  ?9 incarnation  ?10 counter.
// Index: primary keys.
constexpr Query kInsertLostAttempt{"insert_lost_attempt", R"sql(
  insert into attempt(seq, number, performer, pid, exit_code, signal, outcome, error_code, error, started_us, finished_us,
    incarnation, counter, process)
  select seq, (select coalesce(max(number), 0) + 1 from attempt where seq = ?1 and number between 1 and 2147483646), ?2, ?3,
    ?4, ?5, 4, ?6, ?7, null, ?8, ?9, ?10, 0
  from job
  where seq = ?1
    and not exists (select 1 from attempt where seq = ?1 and incarnation = ?9 and counter = ?10 and outcome in (1, 4))
  on conflict (seq, number) do nothing)sql"};

// Binds what three statements begin with: ?1 to ?5.
sqlite::Statement& bind_place(sqlite::Statement& row, JobSeq seq, const RunPlace& place) {
  std::optional<int> code;
  std::optional<int> signal;
  if (place.exit) (place.exit->by == ProcessExit::By::signal ? signal : code) = place.exit->number;
  return row.bind(seq.value, place.process, place.pid, code, signal);
}

}  // namespace

Result<void> SqliteWriter::tell(const RunNews& news, WallTime now) {
  if (!told_.tell(news, now)) return claim_lost(news.claim);
  return {};
}

// Neither reads nor writes the job's row: see EndedJobs.
Result<void> SqliteWriter::finish_succeeded(ClaimRef claim, WallTime now) {
  if (!append_ended(connection_, claim, now)) return claim_lost(claim);
  const std::string key = key_rows_.key_of_claim(claim.seq);
  delete_claim(claim.seq, key);
  told_.forget_cursor(claim.seq);
  start_times_.forget(claim.seq);
  key_rows_.forget_unique(claim.seq);
  pass_on(key, claim.seq);
  failure_counts_.forget(claim.seq);
  batches_.ended(claim.seq, JobState::succeeded, now);
  ++successes_;
  ended_.reset();
  return {};
}

Result<void> SqliteWriter::finish(ClaimRef claim, JobState state, JobReason reason,
                                  const AttemptFailure& failure, WallTime now) {
  if (const auto allowed = ending(state); !allowed) return tl::unexpected(allowed.error());
  const bool has_started = reason != JobReason::expired;
  const auto ended = end_claim(claim);
  if (!ended) {
    if (has_started) add_lost_attempt(claim, failure, now);
    return claim_lost(claim);
  }
  const bool is_failure = counts_as_failure(state, reason);
  connection_.statement(kFinish)
      .bind(claim.seq.value, static_cast<int>(state), static_cast<int>(reason),
            has_started ? ended->started_us : kNeverStarted, to_us(now), is_failure ? 1 : 0)
      .run();
  if (connection_.changes() == 0) return claim_lost(claim);
  acquit(claim.seq);
  start_times_.forget(claim.seq);
  key_rows_.free(claim.seq);
  pass_on(ended->key, claim.seq);
  failure_counts_.forget(claim.seq);
  if (is_failure) add_attempt(claim, *ended, AttemptOutcome::failed, failure, now);
  else if (has_started) add_attempt(claim, *ended, AttemptOutcome::interrupted, failure, now);
  batches_.ended(claim.seq, state, now);
  return {};
}

Result<void> SqliteWriter::cancel(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) {
  const auto ended = end_claim(claim);
  if (!ended) {
    if (started) add_lost_attempt(claim, why, now);
    return claim_lost(claim);
  }
  connection_.statement(kFinish)
      .bind(claim.seq.value, static_cast<int>(JobState::cancelled), static_cast<int>(JobReason::by_operator),
            started ? ended->started_us : kNeverStarted, to_us(now), 0)
      .run();
  if (connection_.changes() == 0) return claim_lost(claim);
  acquit(claim.seq);
  start_times_.forget(claim.seq);
  key_rows_.free(claim.seq);
  pass_on(ended->key, claim.seq);
  failure_counts_.forget(claim.seq);
  if (started) add_attempt(claim, *ended, AttemptOutcome::interrupted, why, now);
  batches_.ended(claim.seq, JobState::cancelled, now);
  return {};
}

Result<void> SqliteWriter::retry(ClaimRef claim, const Retry& retry, const AttemptFailure& failure,
                                 WallTime now) {
  const auto ended = end_claim(claim);
  if (!ended) {
    add_lost_attempt(claim, failure, now);
    return claim_lost(claim);
  }
  const auto job = job_of_claim(claim.seq);
  if (!job) return claim_lost(claim);
  connection_.statement(kRetry)
      .bind(claim.seq.value, static_cast<int>(retry.reason), to_us(retry.due), 1)
      .run();
  insert_scheduled(connection_, job->lane, {retry.due, claim.seq});
  pass_on(ended->key, claim.seq);
  failure_counts_.add(claim.seq, retry.rule, now);
  add_attempt(claim, *ended, AttemptOutcome::failed, failure, now);
  return {};
}

Result<void> SqliteWriter::put_off(ClaimRef claim, WallTime due, const AttemptFailure& why, WallTime now) {
  const auto job = end_by_release(claim, true, why, now);
  if (!job) return claim_lost(claim);
  connection_.statement(kRetry)
      .bind(claim.seq.value, static_cast<int>(JobReason::put_off), to_us(due), 0)
      .run();
  insert_scheduled(connection_, job->lane, {due, claim.seq});
  pass_on(job->key, claim.seq);
  return {};
}

Result<void> SqliteWriter::release(ClaimRef claim, bool started, const AttemptFailure& why, WallTime now) {
  static_cast<void>(fresh());  // while the job still has its claim
  const auto job = end_by_release(claim, started, why, now);
  if (!job) return claim_lost(claim);
  if (!return_to_lane(*job)) pass_on(job->key, claim.seq);
  return {};
}

std::optional<SqliteWriter::JobOfClaim> SqliteWriter::end_by_release(ClaimRef claim, bool started,
                                                                     const AttemptFailure& why,
                                                                     WallTime now) {
  const auto ended = end_claim(claim);
  auto job = ended ? job_of_claim(claim.seq) : std::nullopt;
  if (job) job->key = ended->key;
  if (!job || !started) return job;
  connection_.statement(kCountRelease).bind(claim.seq.value).run();
  add_release(claim, *ended, why, now);
  return job;
}

Result<void> SqliteWriter::block(ClaimRef claim, JobReason reason) {
  const auto ended = end_claim(claim);
  const auto job = ended ? job_of_claim(claim.seq) : std::nullopt;
  if (!job) return claim_lost(claim);
  place_blocked(claim.seq, *job, reason);
  pass_on(ended->key, claim.seq);
  return {};
}

void SqliteWriter::place_row(JobSeq seq) { connection_.statement(kPlace).bind(seq.value).run(); }

void SqliteWriter::place_blocked(JobSeq seq, const JobOfClaim& job, JobReason reason) {
  place_row(seq);
  insert_blocked(connection_, job.lane, job.place, reason);
}

std::optional<SqliteWriter::JobOfClaim> SqliteWriter::end_by_crash(ClaimRef claim, CrashCharge charge,
                                                                   const AttemptFailure& failure,
                                                                   WallTime now) {
  static_cast<void>(fresh());  // while the job still has its claim
  const auto ended = end_claim(claim);
  auto job = ended ? job_of_claim(claim.seq) : std::nullopt;
  if (!job) return std::nullopt;
  job->key = ended->key;
  add_attempt(claim, *ended, AttemptOutcome::interrupted, failure, now);
  charge_crash(claim, charge, *ended, now);
  return job;
}

Result<void> SqliteWriter::reclaim(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                                   WallTime now) {
  const auto job = end_by_crash(claim, charge, failure, now);
  if (!job) return claim_lost(claim);
  const bool is_in_lane = charge != CrashCharge::poison && return_to_lane(*job);
  if (!is_in_lane) pass_on(job->key, claim.seq);
  return {};
}

std::optional<SqliteWriter::JobOfClaim> SqliteWriter::job_of_claim(JobSeq seq) {
  auto row = connection_.statement(kJobOfClaim);
  if (!row.bind(seq.value).step()) return std::nullopt;
  const auto lane = lane_in(row, 0);
  if (!lane) {
    log_left_out(seq, "has a priority that no job has; its claim goes and it returns to no lane");
    return std::nullopt;
  }
  return JobOfClaim{*lane,
                    {from_us(row.integer(4)), seq},
                    is_as_enqueued(row.integer(5)) ? RowState::as_enqueued : RowState::placed,
                    {}};
}

// Where nothing but its own row ever told of it, that alone tells of it again.
bool SqliteWriter::return_to_lane(const JobOfClaim& job) {
  if (!job.key.empty() && key_rows_.has_line(job.key)) {
    stand_in_line(job.key, job.lane, job.place);
    return false;
  }
  if (job.state == RowState::as_enqueued && fresh().give_back(job.lane, job.place)) return true;
  insert_ready(connection_, job.lane, job.place);
  return true;
}

std::optional<SqliteWriter::EndedClaim> SqliteWriter::end_claim(ClaimRef claim) {
  EndedClaim ended;
  {
    auto row = connection_.statement(kNamedClaim);
    if (!row.bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter).step())
      return std::nullopt;
    ended = {row.integer(0), row.integer(1), std::string{row.text(2)}};
  }
  delete_claim(claim.seq, ended.key);
  return ended;
}

void SqliteWriter::delete_claim(JobSeq seq, const std::string& key) {
  key_rows_.given_back(key);
  connection_.statement(kDeleteClaim).bind(seq.value).run();
  cancel_requests_.forget(seq);
  told_.forget_progress(seq);
}

void SqliteWriter::charge_crash(ClaimRef claim, CrashCharge charge, const EndedClaim& ended, WallTime now) {
  if (charge == CrashCharge::none) return;
  connection_.statement(kCountCrash).bind(claim.seq.value).run();
  if (charge != CrashCharge::poison) return;
  failure_counts_.forget(claim.seq);
  connection_.statement(kFinish)
      .bind(claim.seq.value, static_cast<int>(JobState::dead), static_cast<int>(JobReason::poison),
            ended.started_us, to_us(now), 0)
      .run();
  key_rows_.free(claim.seq);
  batches_.ended(claim.seq, JobState::dead, now);
}

void SqliteWriter::add_attempt(ClaimRef claim, const EndedClaim& ended, AttemptOutcome outcome,
                               const AttemptFailure& failure, WallTime now) {
  start_times_.forget(claim.seq);
  const std::string error = kept_error(failure.error);
  auto row = connection_.statement(kInsertAttempt);
  bind_place(row, claim.seq, failure.place)
      .bind(static_cast<int>(outcome), static_cast<int>(failure.code), error, ended.started_us, to_us(now),
            claim.token.incarnation.value, claim.token.counter, ended.process)
      .run();
}

void SqliteWriter::add_release(ClaimRef claim, const EndedClaim& ended, const AttemptFailure& why,
                               WallTime now) {
  const std::string error = kept_error(why.error);
  {
    auto row = connection_.statement(kUpdateRelease);
    bind_place(row, claim.seq, why.place)
        .bind(static_cast<int>(why.code), error, ended.started_us, to_us(now), claim.token.incarnation.value,
              claim.token.counter, ended.process)
        .run();
  }
  if (connection_.changes() == 0) add_attempt(claim, ended, AttemptOutcome::released, why, now);
}

void SqliteWriter::add_lost_attempt(ClaimRef claim, const AttemptFailure& failure, WallTime now) {
  start_times_.forget(claim.seq);
  const std::string error = kept_error(failure.error);
  auto row = connection_.statement(kInsertLostAttempt);
  bind_place(row, claim.seq, failure.place)
      .bind(static_cast<int>(failure.code), error, to_us(now), claim.token.incarnation.value,
            claim.token.counter)
      .run();
}

std::vector<const Query*> ending_queries() {
  return {&kNamedClaim,       &kDeleteClaim, &kJobOfClaim, &kFinish,        &kRetry,
          &kCountRelease,     &kPlace,       &kCountCrash, &kInsertAttempt, &kUpdateRelease,
          &kInsertLostAttempt};
}

}  // namespace tenure::queue
