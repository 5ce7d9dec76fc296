#include "../job_rules.hpp"
#include "sqlite_writer.hpp"
#include "tenant_rows.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 now_us  ?2 limit. Index: job_scheduled.
constexpr Query kDueJobs{"due_jobs", R"sql(
  select seq, queue, priority, tenant, kind, due_us, 2 from job indexed by job_scheduled
  where state = 1 and due_us <= ?1 order by due_us, seq limit ?2)sql"};

// ?1 reason  ?2 the last seq of the page before  ?3 limit. Index: job_other.
constexpr Query kBlockedJobs{"blocked_jobs", R"sql(
  select seq, queue, priority, tenant, kind, due_us, 2 from job indexed by job_other
  where state = 3 and state <> 2 and state <> 4 and seq > ?2 and reason = ?1 order by seq limit ?3)sql"};

// ?1 seq  ?2 the state it leaves. Index: primary key.
constexpr Query kMakeReady{"make_ready",
                           "update job set state = 2, reason = 0 where seq = ?1 and state = ?2"};

// A scan: the table holds what runs now and nothing else. ?1 incarnation  ?2 limit.
constexpr Query kFormerClaims{"former_claims", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind, job.due_us, job.state,
         claim.incarnation, claim.counter, claim.process, claim.started_us
  from claim cross join job on job.seq = claim.seq where claim.incarnation < ?1 order by claim.seq limit ?2)sql"};

// ?1 limit. Index: primary keys.
constexpr Query kLaneHints{"lane_hints", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind, job.due_us, job.state, lane_hint.number
  from lane_hint left join job on job.seq = lane_hint.seq order by lane_hint.number limit ?1)sql"};

// ?1 the last number that was read. Index: primary key.
constexpr Query kDeleteLaneHints{"delete_lane_hints", "delete from lane_hint where number <= ?1"};

// ?1 seq.
constexpr Query kInsertLaneHint{"insert_lane_hint", "insert into lane_hint(seq) values (?1)"};

// Index: primary key, its end.
constexpr Query kLastIncarnation{"last_incarnation", "select coalesce(max(incarnation), 0) from holder"};

// ?1 incarnation  ?2 node  ?3 pid  ?4 now_us.
constexpr Query kInsertHolder{"insert_holder", R"sql(
  insert into holder(incarnation, node, pid, started_us) values (?1, ?2, ?3, ?4))sql"};

// Keeps the newest. ?1 how many. Index: primary key.
constexpr Query kForgetHolders{"forget_holders", R"sql(
  delete from holder where incarnation <= (select incarnation from holder order by incarnation desc limit 1 offset ?1))sql"};

// ?1 id. Index: unique id.
constexpr Query kJobToRetry{"job_to_retry", "select seq, state, tenant from job where id = ?1"};

// A new budget; the attempt rows keep what was. ?1 seq  ?2 now_us  ?3 the state it leaves. Index: primary key.
constexpr Query kRetryByOperator{"retry_by_operator", R"sql(
  update job set state = 2, reason = 0, due_us = ?2, failures = 0, crashes = 0, started_us = created_us,
    finished_us = created_us
  where seq = ?1 and state = ?3)sql"};

constexpr int kHoldersKept = 100;

JobArrival arrival_of(const sqlite::Statement& row) {
  return {JobSeq{row.integer(0)},
          {QueueNumber{row.integer(1)}, Priority{static_cast<int>(row.integer(2))},
           TenantNumber{row.integer(3)}, KindNumber{row.integer(4)}},
          from_us(row.integer(5)),
          static_cast<JobState>(row.integer(6))};
}

// The whole page before its rows are changed: what a scan sees of its own table's updates is nobody's promise.
std::vector<JobArrival> arrivals_of(sqlite::Statement& rows) {
  std::vector<JobArrival> arrivals;
  while (rows.step()) arrivals.push_back(arrival_of(rows));
  return arrivals;
}

}  // namespace

std::vector<JobArrival> SqliteWriter::promote(WallTime now, std::size_t limit) {
  auto due = arrivals_of(connection_.statement(kDueJobs).bind(to_us(now), limit));
  for (const JobArrival& job : due) move_to_ready(job.seq, JobState::scheduled);
  return due;
}

std::vector<JobArrival> SqliteWriter::unblock(JobReason reason, JobSeq after, std::size_t limit, WallTime) {
  auto blocked =
      arrivals_of(connection_.statement(kBlockedJobs).bind(static_cast<int>(reason), after.value, limit));
  for (const JobArrival& job : blocked) move_to_ready(job.seq, JobState::blocked);
  return blocked;
}

void SqliteWriter::move_to_ready(JobSeq seq, JobState from) {
  connection_.statement(kMakeReady).bind(seq.value, static_cast<int>(from)).run();
}

std::vector<JobArrival> SqliteWriter::reclaim_of_former_holders(Incarnation current, std::size_t limit,
                                                                WallTime now) {
  std::vector<JobArrival> jobs;
  std::vector<std::pair<ClaimToken, EndedClaim>> claims;
  {
    auto row = connection_.statement(kFormerClaims);
    row.bind(current.value, limit);
    while (row.step()) {
      jobs.push_back(arrival_of(row));
      claims.push_back({{Incarnation{row.integer(7)}, row.integer(8)}, {row.integer(10), row.integer(9)}});
    }
  }
  const AttemptFailure failure = reclaimed_from_former_holder();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const ClaimRef claim{jobs[i].seq, claims[i].first};
    TENURE_INVARIANT(end_claim(claim).has_value());
    add_attempt(claim, claims[i].second, AttemptOutcome::interrupted, failure, now);
  }
  return jobs;
}

std::vector<JobArrival> SqliteWriter::take_lane_hints(std::size_t limit) {
  std::vector<JobArrival> jobs;
  std::int64_t last = 0;
  {
    auto row = connection_.statement(kLaneHints);
    row.bind(limit);
    while (row.step()) {
      last = row.integer(7);
      if (!row.is_null(0)) jobs.push_back(arrival_of(row));  // null: the job was deleted since
    }
  }
  if (last > 0) connection_.statement(kDeleteLaneHints).bind(last).run();
  return jobs;
}

Incarnation SqliteWriter::open_incarnation(std::int64_t seconds_since_2020, std::string_view node,
                                           std::int64_t pid, WallTime now) {
  const std::int64_t last = connection_.statement(kLastIncarnation).row().integer(0);
  const Incarnation incarnation{std::max(last + 1, seconds_since_2020)};
  connection_.statement(kInsertHolder).bind(incarnation.value, node, pid, to_us(now)).run();
  connection_.statement(kForgetHolders).bind(kHoldersKept).run();
  return incarnation;
}

Result<void> SqliteWriter::retry_by_operator(JobId id, WallTime now) {
  JobSeq seq;
  JobState state{};
  TenantNumber tenant;
  {
    auto row = connection_.statement(kJobToRetry);
    if (!row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step()) return no_such_job(id);
    seq = JobSeq{row.integer(0)};
    state = static_cast<JobState>(row.integer(1));
    tenant = TenantNumber{row.integer(2)};
  }
  if (!is_allowed(Transition::retry_by_operator, state, JobState::ready))
    return wrong_state("retry", state, JobState::ready);
  if (auto owner = check_tenant_of_retry(tenant); !owner) return owner;
  connection_.statement(kRetryByOperator).bind(seq.value, to_us(now), static_cast<int>(state)).run();
  connection_.statement(kInsertLaneHint).bind(seq.value).run();
  return {};
}

Result<void> SqliteWriter::check_tenant_of_retry(TenantNumber number) {
  if (number == kUntenanted) return {};
  const auto owner = tenant_numbered(connection_, number);
  if (!owner)
    raise(ErrorCode::database_damaged, "there is no tenant with the number " + std::to_string(number.value));
  const auto newest = newest_tenant(connection_, owner->name);
  if (newest && newest->generation != owner->generation && newest->state != TenantState::deleted)
    return stale_generation(owner->name, owner->generation, newest->generation);
  return check_accepts_jobs(*owner);
}

std::vector<const Query*> move_queries() {
  return {&kDueJobs,      &kBlockedJobs,     &kMakeReady,      &kFormerClaims,
          &kLaneHints,    &kDeleteLaneHints, &kInsertLaneHint, &kLastIncarnation,
          &kInsertHolder, &kForgetHolders,   &kJobToRetry,     &kRetryByOperator};
}

}  // namespace tenure::queue
