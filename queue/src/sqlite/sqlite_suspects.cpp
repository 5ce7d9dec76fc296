#include "../job_rules.hpp"
#include "../reading_pools.hpp"
#include "places.hpp"
#include "pools.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

#include <algorithm>
#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// suspect.trial
enum class Trial : std::uint8_t { none = 0, in_company = 1, alone = 2 };

// A scan: the table holds what runs now and nothing else. ?1 incarnation  ?2 limit  ?3 Trial::alone.
constexpr Query kClaimsLeft{"claims_left", R"sql(
  select claim.seq, claim.incarnation, claim.counter, coalesce(job.crashes, 0),
    coalesce(suspect.trial = ?3 and suspect.incarnation = claim.incarnation and suspect.counter = claim.counter, 0)
  from claim left join job on job.seq = claim.seq left join suspect on suspect.seq = claim.seq
  where claim.incarnation <> ?1 order by claim.seq limit ?2)sql"};

// How the claim that the daemon died under was made stays; of one that was made without a trial nothing does.
// ?1 seq  ?2 incarnation  ?3 counter. Index: primary key.
constexpr Query kSuspect{"suspect", R"sql(
  insert into suspect(seq, deaths, trial, incarnation, counter) values (?1, 1, 0, ?2, ?3)
  on conflict (seq) do update set deaths = min(deaths, 2147483646) + 1,
    trial = case when incarnation = ?2 and counter = ?3 then trial else 0 end, incarnation = ?2, counter = ?3)sql"};

// Whatever it was a suspect of before. ?1 seq  ?2 incarnation  ?3 counter. Index: primary key.
constexpr Query kSuspectOfProcess{"suspect_of_process", R"sql(
  insert into suspect(seq, deaths, trial, incarnation, counter) values (?1, 0, 0, ?2, ?3)
  on conflict (seq) do update set deaths = 0, trial = 0, incarnation = ?2, counter = ?3)sql"};

// Where nothing notes it as one. ?1 seq  ?2 incarnation  ?3 counter. Index: primary key.
constexpr Query kSuspectStays{"suspect_stays", R"sql(
  insert into suspect(seq, deaths, trial, incarnation, counter) values (?1, 0, 0, ?2, ?3)
  on conflict (seq) do nothing)sql"};

// ?1 seq. Index: primary key.
constexpr Query kIsSuspectOfProcess{"is_suspect_of_process",
                                    "select 1 from suspect where seq = ?1 and deaths = 0"};

// ?1 JobReason::suspect  ?2 the last seq of the page before  ?3 limit. Index: blocked_reason.
constexpr Query kSuspects{"suspects", R"sql(
  select blocked.seq, blocked.queue, blocked.tenant, blocked.kind, coalesce(suspect.deaths, 1), coalesce(suspect.trial, 0),
    coalesce(suspect.counter, 0), blocked.priority
  from blocked indexed by blocked_reason left join suspect on suspect.seq = blocked.seq
  where blocked.reason = ?1 and blocked.seq > ?2 and blocked.priority between -100 and 100 order by blocked.seq limit ?3)sql"};

// ?1 seq  ?2 JobReason::suspect. Index: primary key.
constexpr Query kBlockedSuspect{"blocked_suspect", R"sql(
  select queue, priority, tenant, kind, due_us from blocked where seq = ?1 and reason = ?2)sql"};

// ?1 seq  ?2 trial  ?3 incarnation  ?4 counter. Index: primary key.
constexpr Query kBeginTrial{"begin_trial", R"sql(
  insert into suspect(seq, deaths, trial, incarnation, counter) values (?1, 1, ?2, ?3, ?4)
  on conflict (seq) do update set trial = ?2, incarnation = ?3, counter = ?4)sql"};

// ?1 seq. Index: primary key.
constexpr Query kEndTrial{"end_trial", "update suspect set trial = 0 where seq = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kAcquit{"acquit", "delete from suspect where seq = ?1"};

// What a damaged row holds is cut, and stops nobody.
int count_in(const sqlite::Statement& row, int column) {
  return static_cast<int>(
      std::clamp<std::int64_t>(row.integer(column), 0, std::numeric_limits<int>::max() - 1));
}

bool is_trial(const sqlite::Statement& row, int column, Trial trial) {
  return row.integer(column) == static_cast<std::int64_t>(trial);
}

}  // namespace

std::vector<FormerClaim> SqliteWriter::former_claims(Incarnation current, std::size_t limit) {
  std::vector<FormerClaim> claims;
  auto row = connection_.statement(kClaimsLeft);
  row.bind(current.value, limit, static_cast<int>(Trial::alone));
  while (row.step())
    claims.push_back({{JobSeq{row.integer(0)}, {Incarnation{row.integer(1)}, row.integer(2)}},
                      count_in(row, 3),
                      row.integer(4) != 0});
  return claims;
}

Result<void> SqliteWriter::suspect(ClaimRef claim, CrashCharge charge, const AttemptFailure& failure,
                                   WallTime now) {
  const auto job = end_by_crash(claim, charge, failure, now);
  if (!job) return claim_lost(claim);
  pass_on(job->key, claim.seq);
  if (charge == CrashCharge::poison) {
    acquit(claim.seq);
    return {};
  }
  place_blocked(claim.seq, *job, JobReason::suspect);
  connection_.statement(kSuspect)
      .bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter)
      .run();
  return {};
}

Result<void> SqliteWriter::suspect_of_process(ClaimRef claim, CrashCharge charge,
                                              const AttemptFailure& failure, WallTime now) {
  const auto job = end_by_crash(claim, charge, failure, now);
  if (!job) return claim_lost(claim);
  pass_on(job->key, claim.seq);
  if (charge == CrashCharge::poison) {
    acquit(claim.seq);
    return {};
  }
  place_blocked(claim.seq, *job, JobReason::suspect);
  connection_.statement(kSuspectOfProcess)
      .bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter)
      .run();
  return {};
}

Result<void> SqliteWriter::release_suspect(ClaimRef claim, bool started, const AttemptFailure& why,
                                           WallTime now) {
  const auto job = end_by_release(claim, started, why, now);
  if (!job) return claim_lost(claim);
  pass_on(job->key, claim.seq);
  place_blocked(claim.seq, *job, JobReason::suspect);
  connection_.statement(kSuspectStays)
      .bind(claim.seq.value, claim.token.incarnation.value, claim.token.counter)
      .run();
  return {};
}

bool SqliteWriter::is_suspect_of_process(JobSeq seq) {
  return connection_.statement(kIsSuspectOfProcess).bind(seq.value).step();
}

void SqliteWriter::admit(JobArrival& job) {
  if (!is_suspect_of_process(job.seq) && lines_up(job.lane, {job.due, job.seq}))
    job.state = JobState::blocked;
  else end_wait(job);
}

void SqliteWriter::end_wait(JobArrival& job) {
  if (is_suspect_of_process(job.seq)) {
    job.state = JobState::blocked;
    insert_blocked(connection_, job.lane, {job.due, job.seq}, JobReason::suspect);
  } else {
    insert_ready(connection_, job.lane, {job.due, job.seq});
  }
}

ClaimReply SqliteWriter::claim_suspect(const SuspectRequest& request, WallTime now) {
  ClaimReply reply;
  const auto candidate = blocked_suspect(request.seq);
  if (!candidate) return reply;
  const auto tenant = tenant_to_claim(candidate->lane.tenant, reply, true);
  if (!reply.gate && tenant && tenant->state == TenantState::read_only &&
      !is_read_in(read_pools(connection_), tenant->name,
                  names_.name(NameTable::queue, candidate->lane.queue.value),
                  names_.name(NameTable::kind, candidate->lane.kind.value)))
    reply.gate = tenant->state;
  if (reply.gate) return reply;
  delete_blocked(connection_, request.seq);
  auto job = read_candidate(*candidate);
  if (!job) return reply;
  const auto key = key_rows_.concurrency_of(request.seq);
  if (key && is_taken(*key, candidate->lane.queue, candidate->lane.kind)) {
    stand_in_line(key->key, candidate->lane, candidate->place);
    if (!is_suspect_of_process(request.seq)) acquit(request.seq);
    return reply;
  }
  job->token = request.token;
  if (!insert_claim(*job, key ? key->key : std::string{}, request.process, now)) return reply;
  connection_.statement(kBeginTrial)
      .bind(request.seq.value, static_cast<int>(request.is_alone ? Trial::alone : Trial::in_company),
            request.token.incarnation.value, request.token.counter)
      .run();
  reply.jobs.push_back(std::move(*job));
  name_claimed(tenant, reply.jobs);
  return reply;
}

std::optional<SqliteWriter::Candidate> SqliteWriter::blocked_suspect(JobSeq seq) {
  auto row = connection_.statement(kBlockedSuspect);
  if (!row.bind(seq.value, static_cast<int>(JobReason::suspect)).step()) return std::nullopt;
  const auto lane = lane_in(row, 0);
  if (!lane) return std::nullopt;
  return Candidate{*lane, {from_us(row.integer(4)), seq}, false};
}

void SqliteWriter::end_trial(JobSeq seq) { connection_.statement(kEndTrial).bind(seq.value).run(); }

void SqliteWriter::acquit(JobSeq seq) { connection_.statement(kAcquit).bind(seq.value).run(); }

std::vector<Suspect> SqliteLaneReader::suspects(JobSeq after, std::size_t limit) {
  std::vector<Suspect> suspects;
  auto row = connection_.statement(kSuspects);
  row.bind(static_cast<int>(JobReason::suspect), after.value, limit);
  while (row.step())
    suspects.push_back({.seq = JobSeq{row.integer(0)},
                        .tenant = TenantNumber{row.integer(2)},
                        .queue = queue_name(QueueNumber{row.integer(1)}),
                        .kind = kind_name(KindNumber{row.integer(3)}),
                        .deaths = count_in(row, 4),
                        .was_on_trial = !is_trial(row, 5, Trial::none),
                        .was_alone = is_trial(row, 5, Trial::alone),
                        .counter = row.integer(6),
                        .lane = {QueueNumber{row.integer(1)}, Priority{static_cast<int>(row.integer(7))},
                                 TenantNumber{row.integer(2)}, KindNumber{row.integer(3)}}});
  return suspects;
}

std::vector<const Query*> suspect_queries() {
  return {&kClaimsLeft, &kSuspect,        &kSuspectOfProcess, &kSuspectStays, &kIsSuspectOfProcess,
          &kSuspects,   &kBlockedSuspect, &kBeginTrial,       &kEndTrial,     &kAcquit};
}

}  // namespace tenure::queue
