#include "../job_rules.hpp"
#include "ended_lookup.hpp"
#include "places.hpp"
#include "pools.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <tenure/base/limits.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// What is in no lane stays where it is. ?1 now_us  ?2 limit. Index: primary key.
constexpr Query kDueJobs{"due_jobs", R"sql(
  select seq, queue, priority, tenant, kind, due_us from scheduled
  where due_us <= ?1 and priority between -100 and 100 order by due_us, seq limit ?2)sql"};

// ?1 due_us  ?2 seq of the last one that was read. Index: primary key.
constexpr Query kDeleteScheduled{"delete_scheduled", R"sql(
  delete from scheduled where (due_us, seq) <= (?1, ?2) and priority between -100 and 100)sql"};

// Whether each waits for a retry, and after how many failures. A damaged row, which says two due times or a priority that no job can
// have, stays where it is. ?1 due_us  ?2 seq of the last one of the page before  ?3 limit  ?4 JobReason::retry_wait.
// Index: primary keys.
constexpr Query kScheduledRetries{"scheduled_retries", R"sql(
  select scheduled.due_us, scheduled.seq, job.failures,
    job.state = 1 and job.reason = ?4 and job.due_us = scheduled.due_us and scheduled.priority between -100 and 100
  from scheduled left join job on job.seq = scheduled.seq
  where (scheduled.due_us, scheduled.seq) > (?1, ?2) order by scheduled.due_us, scheduled.seq limit ?3)sql"};

// Both rows of a scheduled job say when it is due. ?1 due_us as it is  ?2 seq  ?3 due_us as it becomes. Index: primary keys.
constexpr Query kDrawInScheduled{"draw_in_scheduled",
                                 "update scheduled set due_us = ?3 where due_us = ?1 and seq = ?2"};
constexpr Query kDrawInJob{"draw_in_job", "update job set due_us = ?2 where seq = ?1"};

// ?1 reason  ?2 the last seq of the page before  ?3 limit. Index: blocked_reason.
constexpr Query kBlockedJobs{"blocked_jobs", R"sql(
  select seq, queue, priority, tenant, kind, due_us from blocked indexed by blocked_reason
  where reason = ?1 and seq > ?2 and priority between -100 and 100 order by seq limit ?3)sql"};

// A scan: the table holds what runs now and nothing else. A later incarnation than the newest is nobody's. ?1 incarnation  ?2 limit.
constexpr Query kFormerClaims{"former_claims", R"sql(
  select claim.seq, claim.incarnation, claim.counter, claim.process, claim.started_us, claim.key
  from claim where claim.incarnation <> ?1 order by claim.seq limit ?2)sql"};

// ?1 limit. Index: primary keys.
constexpr Query kLaneHints{"lane_hints", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind, job.due_us, lane_hint.number, job.state
  from lane_hint left join job on job.seq = lane_hint.seq order by lane_hint.number limit ?1)sql"};

// ?1 the last number that was read. Index: primary key.
constexpr Query kDeleteLaneHints{"delete_lane_hints", "delete from lane_hint where number <= ?1"};

// Index: primary key, its end.
constexpr Query kLastIncarnation{"last_incarnation", "select coalesce(max(incarnation), 0) from holder"};

// ?1 incarnation  ?2 node  ?3 pid  ?4 now_us.
constexpr Query kInsertHolder{"insert_holder", R"sql(
  insert into holder(incarnation, node, pid, started_us) values (?1, ?2, ?3, ?4))sql"};

// Keeps the newest. ?1 how many. Index: primary key.
constexpr Query kForgetHolders{"forget_holders", R"sql(
  delete from holder where incarnation <= (select incarnation from holder order by incarnation desc limit 1 offset ?1))sql"};

constexpr int kHoldersKept = 100;

static_assert(limits::kPriorityHighest == -100 && limits::kPriorityLowest == 100, "the queries say so");

// The whole page before its rows are changed: what a scan sees of its own table's updates is nobody's promise.
std::vector<JobArrival> arrivals_of(sqlite::Statement& rows) {
  std::vector<JobArrival> arrivals;
  while (rows.step()) arrivals.push_back(arrival_in(rows));
  return arrivals;
}

}  // namespace

std::vector<JobArrival> SqliteWriter::promote(WallTime now, std::size_t limit) {
  auto due = arrivals_of(connection_.statement(kDueJobs).bind(to_us(now), limit));
  for (JobArrival& job : due) admit(job);
  if (!due.empty())
    connection_.statement(kDeleteScheduled).bind(to_us(due.back().due), due.back().seq.value).run();
  return due;
}

DrawnIn SqliteWriter::draw_in_retries(LanePlace after, std::size_t limit,
                                      FunctionRef<std::chrono::microseconds(int)> wait_max, WallTime now) {
  struct Late {
    LanePlace place;
    WallTime due;
  };
  std::vector<Late> late;
  DrawnIn drawn;
  {
    auto row = connection_.statement(kScheduledRetries);
    row.bind(to_us(after.due), after.seq.value, limit, static_cast<int>(JobReason::retry_wait));
    LanePlace place;
    std::size_t looked_at = 0;
    for (; row.step(); ++looked_at) {
      place = {from_us(row.integer(0)), JobSeq{row.integer(1)}};
      if (row.is_null(3) || row.integer(3) == 0) continue;
      const WallTime due_max = now + wait_max(clamped(row.integer(2)));
      if (place.due > due_max) late.push_back({place, due_max});
    }
    if (looked_at == limit) drawn.read_until = place;
  }
  for (const Late& job : late) {
    connection_.statement(kDrawInScheduled)
        .bind(to_us(job.place.due), job.place.seq.value, to_us(job.due))
        .run();
    connection_.statement(kDrawInJob).bind(job.place.seq.value, to_us(job.due)).run();
    drawn.due.push_back(job.due);
  }
  return drawn;
}

std::vector<JobArrival> SqliteWriter::unblock(JobReason reason, JobSeq after, std::size_t limit) {
  auto blocked =
      arrivals_of(connection_.statement(kBlockedJobs).bind(static_cast<int>(reason), after.value, limit));
  for (JobArrival& job : blocked) {
    delete_blocked(connection_, job.seq);
    admit(job);
  }
  return blocked;
}

std::vector<JobArrival> SqliteWriter::reclaim_of_former_holders(Incarnation current, std::size_t limit,
                                                                WallTime now) {
  static_cast<void>(fresh());  // while the jobs still have their claims
  std::vector<JobArrival> jobs;
  const AttemptFailure failure = reclaimed_from_former_holder();
  for (;;) {
    const std::size_t wanted = limit - jobs.size();
    const auto claims = claims_before(current, wanted);
    for (const auto& [claim, ended] : claims) {
      TENURE_INVARIANT(end_claim(claim).has_value());
      auto job = job_of_claim(claim.seq);
      if (!job) continue;  // a damaged file's claim on what has ended
      job->key = ended.key;
      add_attempt(claim, ended, AttemptOutcome::interrupted, failure, now);
      jobs.push_back({claim.seq, job->lane, job->place.due, return_uncharged(claim.seq, *job)});
    }
    if (claims.size() < wanted || jobs.size() == limit) return jobs;
  }
}

JobState SqliteWriter::return_uncharged(JobSeq seq, const JobOfClaim& job) {
  if (is_suspect_of_process(seq)) {
    place_blocked(seq, job, JobReason::suspect);
    pass_on(job.key, seq);
    return JobState::blocked;
  }
  acquit(seq);
  if (return_to_lane(job)) return JobState::ready;
  pass_on(job.key, seq);
  return is_blocked(connection_, seq) ? JobState::blocked : JobState::ready;  // it may be the next itself
}

std::vector<std::pair<ClaimRef, SqliteWriter::EndedClaim>> SqliteWriter::claims_before(Incarnation current,
                                                                                       std::size_t limit) {
  std::vector<std::pair<ClaimRef, EndedClaim>> claims;
  auto row = connection_.statement(kFormerClaims);
  row.bind(current.value, limit);
  while (row.step())
    claims.push_back({{JobSeq{row.integer(0)}, {Incarnation{row.integer(1)}, row.integer(2)}},
                      {row.integer(4), row.integer(3), std::string{row.text(5)}}});
  return claims;
}

std::vector<JobArrival> SqliteWriter::take_lane_hints(std::size_t limit) {
  std::vector<JobArrival> hinted;
  std::int64_t last = 0;
  {
    auto row = connection_.statement(kLaneHints);
    row.bind(limit);
    while (row.step()) {
      last = row.integer(6);
      if (row.is_null(0)) continue;  // the job was deleted since
      hinted.push_back(arrival_in(row));
      if (is_final_row(row.integer(7))) hinted.back().state = job_state_of(row.integer(7));
    }
  }
  if (last > 0) connection_.statement(kDeleteLaneHints).bind(last).run();
  tell_states(connection_, hinted);
  return hinted;
}

Incarnation SqliteWriter::open_incarnation(std::int64_t seconds_since_2020, std::string_view node,
                                           std::int64_t pid, WallTime now) {
  const Incarnation incarnation{std::max(newest_incarnation().value + 1, seconds_since_2020)};
  connection_.statement(kInsertHolder).bind(incarnation.value, node, pid, to_us(now)).run();
  connection_.statement(kForgetHolders).bind(kHoldersKept).run();
  return incarnation;
}

Incarnation SqliteWriter::newest_incarnation() {
  return Incarnation{connection_.statement(kLastIncarnation).row().integer(0)};
}

void SqliteWriter::tell_pools(Incarnation incarnation, std::span<const PoolRecord> pools) {
  pools_of_lines_.reset();
  write_pools(connection_, incarnation, pools);
}

std::vector<const Query*> move_queries() {
  return {&kDueJobs,         &kDeleteScheduled, &kScheduledRetries, &kDrawInScheduled,
          &kDrawInJob,       &kBlockedJobs,     &kFormerClaims,     &kLaneHints,
          &kDeleteLaneHints, &kLastIncarnation, &kInsertHolder,     &kForgetHolders};
}

}  // namespace tenure::queue
