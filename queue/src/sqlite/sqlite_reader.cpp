#include "sqlite_reader.hpp"

#include "../job_rules.hpp"

#include <tenure/base/text.hpp>

#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// One step of the loose scan: the next lane that holds a ready job, whatever the lane before holds.
// ?1 queue  ?2 priority  ?3 tenant  ?4 kind of the lane before. Index: job_ready.
constexpr Query kNextLane{"next_lane", R"sql(
  select queue, priority, tenant, kind from job indexed by job_ready
  where state = 2 and (queue, priority, tenant, kind) > (?1, ?2, ?3, ?4)
  order by queue, priority, tenant, kind limit 1)sql"};

// ?1 the last seq that is known  ?2 limit. Index: primary key.
constexpr Query kArrivals{"arrivals", R"sql(
  select seq, queue, priority, tenant, kind, due_us, state from job where seq > ?1 order by seq limit ?2)sql"};

// The newest row is never deleted. Index: primary key, its end.
constexpr Query kLastSeq{"last_seq", "select coalesce(max(seq), 0) from job"};

// Index: job_scheduled, its front.
constexpr Query kNextDue{"next_due", R"sql(
  select due_us from job indexed by job_scheduled where state = 1 order by due_us limit 1)sql"};

// ?1 number. Index: primary key.
constexpr Query kTenantState{"tenant_state", "select state from tenant where number = ?1"};

// Everything that is shown of one job. ?1 seq. Index: primary keys.
constexpr Query kJobRecord{"job_record", R"sql(
  select job.id, tenant.name, tenant.generation, tenant.state,
         coalesce(queue.name, '(queue ' || job.queue || ' is missing)'),
         coalesce(kind.name, '(kind ' || job.kind || ' is missing)'), job.priority, job.state,
         job.reason, job.created_us, job.due_us,
         coalesce(claim.started_us, case when job.state >= 4 then job.started_us end),
         case when job.state >= 4 then job.finished_us end,
         job.attempts_max, job.failures, job.crashes, job.releases, job.size_bytes,
         claim.incarnation, claim.counter, claim.process,
         (select error from attempt where attempt.seq = job.seq and outcome in (1, 3) order by number desc limit 1)
  from job
  cross join tenant on tenant.number = job.tenant
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  left join claim on claim.seq = job.seq
  where job.seq = ?1)sql"};

// ?1 id. Index: unique id.
constexpr Query kSeqOfId{"seq_of_id", "select seq from job where id = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kAttempts{"attempts", R"sql(
  select number, outcome, error_code, error, started_us, finished_us, incarnation, counter, process
  from attempt where seq = ?1 order by number)sql"};

// ?1 seq. Index: primary key.
constexpr Query kEnvelope{"envelope", "select envelope from payload where seq = ?1"};

std::optional<WallTime> optional_time(const sqlite::Statement& row, int column) {
  const auto us = row.optional_integer(column);
  return us ? std::optional{from_us(*us)} : std::nullopt;
}

int small(const sqlite::Statement& row, int column) { return static_cast<int>(row.integer(column)); }

JobRecord record_of(JobSeq seq, const sqlite::Statement& row) {
  JobRecord job;
  job.seq = seq;
  if (const auto id = Uuid::from_bytes(row.blob(0))) job.id = JobId{*id};
  if (!row.is_null(1)) job.tenant = TenantName{row.text(1)};
  job.generation = Generation{row.integer(2)};
  job.tenant_state = static_cast<TenantState>(row.integer(3));
  job.queue = row.text(4);
  job.kind = row.text(5);
  job.priority = Priority{small(row, 6)};
  job.state = shown_state(static_cast<JobState>(row.integer(7)), !row.is_null(18), job.tenant_state);
  job.reason = static_cast<JobReason>(row.integer(8));
  job.created = from_us(row.integer(9));
  job.due = from_us(row.integer(10));
  job.started = optional_time(row, 11);
  job.finished = optional_time(row, 12);
  job.attempts_max = small(row, 13);
  job.failures = small(row, 14);
  job.crashes = small(row, 15);
  job.releases = small(row, 16);
  job.size_bytes = row.integer(17);
  if (!row.is_null(18)) {
    job.claim = ClaimToken{Incarnation{row.integer(18)}, row.integer(19)};
    job.process = ProcessNumber{row.integer(20)};
  }
  job.error = row.text(21);
  return job;
}

}  // namespace

std::vector<Lane> SqliteReader::lanes(const std::optional<Lane>& after, std::size_t limit) {
  constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
  std::vector<Lane> lanes;
  Lane last = after.value_or(Lane{QueueNumber{kLowest}, Priority{0}, TenantNumber{0}, KindNumber{0}});
  while (lanes.size() < limit) {
    auto row = connection_.statement(kNextLane);
    if (!row.bind(last.queue.value, last.priority.value, last.tenant.value, last.kind.value).step()) break;
    last = {QueueNumber{row.integer(0)}, Priority{small(row, 1)}, TenantNumber{row.integer(2)},
            KindNumber{row.integer(3)}};
    lanes.push_back(last);
  }
  return lanes;
}

std::vector<JobArrival> SqliteReader::arrivals(JobSeq after, std::size_t limit) {
  std::vector<JobArrival> jobs;
  auto row = connection_.statement(kArrivals);
  row.bind(after.value, limit);
  while (row.step())
    jobs.push_back({JobSeq{row.integer(0)},
                    {QueueNumber{row.integer(1)}, Priority{small(row, 2)}, TenantNumber{row.integer(3)},
                     KindNumber{row.integer(4)}},
                    from_us(row.integer(5)),
                    static_cast<JobState>(row.integer(6))});
  return jobs;
}

JobSeq SqliteReader::last_seq() { return JobSeq{connection_.statement(kLastSeq).row().integer(0)}; }

std::optional<WallTime> SqliteReader::next_due() {
  auto row = connection_.statement(kNextDue);
  return row.step() ? std::optional{from_us(row.integer(0))} : std::nullopt;
}

std::optional<TenantState> SqliteReader::tenant_state(TenantNumber tenant) {
  auto row = connection_.statement(kTenantState);
  return row.bind(tenant.value).step() ? std::optional{static_cast<TenantState>(row.integer(0))}
                                       : std::nullopt;
}

std::string SqliteReader::queue_name(QueueNumber queue) { return names_.name(NameTable::queue, queue.value); }
std::string SqliteReader::kind_name(KindNumber kind) { return names_.name(NameTable::kind, kind.value); }

std::optional<QueueNumber> SqliteReader::queue_number(std::string_view name) {
  const auto number = names_.number(NameTable::queue, name);
  return number ? std::optional{QueueNumber{*number}} : std::nullopt;
}

std::optional<KindNumber> SqliteReader::kind_number(std::string_view name) {
  const auto number = names_.number(NameTable::kind, name);
  return number ? std::optional{KindNumber{*number}} : std::nullopt;
}

std::optional<JobSeq> SqliteReader::seq_of(JobId id) {
  auto row = connection_.statement(kSeqOfId);
  const bool found = row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step();
  return found ? std::optional{JobSeq{row.integer(0)}} : std::nullopt;
}

std::optional<JobRecord> SqliteReader::find_job(JobId id) {
  const auto seq = seq_of(id);
  return seq ? record(*seq) : std::nullopt;
}

std::optional<JobRecord> SqliteReader::record(JobSeq seq) {
  auto row = connection_.statement(kJobRecord);
  return row.bind(seq.value).step() ? std::optional{record_of(seq, row)} : std::nullopt;
}

std::vector<AttemptRecord> SqliteReader::attempts(JobSeq seq) {
  std::vector<AttemptRecord> attempts;
  auto row = connection_.statement(kAttempts);
  row.bind(seq.value);
  while (row.step()) {
    AttemptRecord attempt;
    attempt.number = small(row, 0);
    attempt.outcome = static_cast<AttemptOutcome>(row.integer(1));
    if (const auto code = row.optional_integer(2)) attempt.error_code = static_cast<ErrorCode>(*code);
    attempt.error = row.text(3);
    attempt.started = optional_time(row, 4);
    attempt.finished = from_us(row.integer(5));
    attempt.claim = {Incarnation{row.integer(6)}, row.integer(7)};
    attempt.process = ProcessNumber{row.integer(8)};
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

std::optional<std::string> SqliteReader::envelope(JobSeq seq) {
  auto row = connection_.statement(kEnvelope);
  return row.bind(seq.value).step() ? std::optional{std::string{as_text(row.blob(0))}} : std::nullopt;
}

std::vector<const Query*> reader_queries() {
  return {&kNextLane,  &kArrivals, &kLastSeq,  &kNextDue, &kTenantState,
          &kJobRecord, &kSeqOfId,  &kAttempts, &kEnvelope};
}

}  // namespace tenure::queue
