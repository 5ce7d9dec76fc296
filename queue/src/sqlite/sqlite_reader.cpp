#include "sqlite_reader.hpp"

#include "../job_rules.hpp"
#include "places.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Everything that is shown of one job. The place is of RowPlace, as far as it can be told without looking into `ended`.
// ?1 seq. Index: primary keys.
constexpr Query kJobRecord{"job_record", R"sql(
  select job.id, tenant.name, coalesce(tenant.generation, 0), coalesce(tenant.state, 8),
         coalesce(queue.name, '(queue ' || job.queue || ' is missing)'),
         coalesce(kind.name, '(kind ' || job.kind || ' is missing)'), job.priority, job.state,
         coalesce(blocked.reason, job.reason), job.created_us, job.due_us, job.started_us, job.finished_us,
         job.attempts_max, job.failures, job.crashes, job.releases, length(job.envelope),
         claim.incarnation, claim.counter, claim.process, claim.started_us,
         case when job.state >= 4 then 1 when claim.seq is not null then 2 when blocked.seq is not null then 3
              when exists (select 1 from scheduled where due_us = job.due_us and seq = job.seq) then 4
              when exists (
                select 1 from ready where queue = job.queue and priority = job.priority and tenant = job.tenant
                  and kind = job.kind and due_us = job.due_us and seq = job.seq) then 5
              else 6 end,
         (select error from attempt where attempt.seq = job.seq and outcome in (1, 3) order by number desc limit 1)
  from job
  left join tenant on tenant.number = job.tenant
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  left join claim on claim.seq = job.seq
  left join blocked on blocked.seq = job.seq
  where job.seq = ?1)sql"};

enum class RowPlace : std::uint8_t {
  ended = 1,
  claim = 2,
  blocked = 3,
  scheduled = 4,
  ready = 5,
  in_lane_or_ended = 6
};

// ?1 id. Index: unique id.
constexpr Query kSeqOfId{"seq_of_id", "select seq from job where id = ?1"};

// ?1 seq. Index: primary key.
constexpr Query kAttempts{"attempts", R"sql(
  select number, outcome, error_code, error, started_us, finished_us, incarnation, counter, process
  from attempt where seq = ?1 order by number)sql"};

// ?1 seq. Index: primary key.
constexpr Query kEnvelope{"envelope", "select envelope from job where seq = ?1"};

std::optional<WallTime> optional_time(const sqlite::Statement& row, int column) {
  const auto us = row.optional_integer(column);
  return us ? std::optional{from_us(*us)} : std::nullopt;
}

int small(const sqlite::Statement& row, int column) { return static_cast<int>(row.integer(column)); }

JobState state_at(RowPlace place, std::int64_t row_state) {
  switch (place) {
    case RowPlace::ended:
      return static_cast<JobState>(row_state);
    case RowPlace::blocked:
      return JobState::blocked;
    case RowPlace::scheduled:
      return JobState::scheduled;
    case RowPlace::claim:
    case RowPlace::ready:
    case RowPlace::in_lane_or_ended:
      return JobState::ready;
  }
  return JobState::ready;
}

void read_claim(JobRecord& job, const sqlite::Statement& row) {
  job.claim = ClaimToken{Incarnation{row.integer(18)}, row.integer(19)};
  job.process = ProcessNumber{row.integer(20)};
  job.started = from_us(row.integer(21));
}

JobRecord record_of(JobSeq seq, const sqlite::Statement& row, RowPlace place) {
  JobRecord job;
  job.seq = seq;
  if (const auto id = Uuid::from_bytes(row.blob(0))) job.id = JobId{*id};
  if (!row.is_null(1)) job.tenant = TenantName{row.text(1)};
  job.generation = Generation{row.integer(2)};
  job.tenant_state = static_cast<TenantState>(row.integer(3));
  job.queue = row.text(4);
  job.kind = row.text(5);
  job.priority = Priority{small(row, 6)};
  const JobState state = state_at(place, row.integer(7));
  job.state = shown_state(state, place == RowPlace::claim, job.tenant_state);
  if (state != JobState::ready) job.reason = static_cast<JobReason>(row.integer(8));
  job.created = from_us(row.integer(9));
  job.due = from_us(row.integer(10));
  if (place == RowPlace::ended) {
    job.started = from_us(row.integer(11));
    job.finished = from_us(row.integer(12));
  }
  job.attempts_max = small(row, 13);
  job.failures = small(row, 14);
  job.crashes = small(row, 15);
  job.releases = small(row, 16);
  job.size_bytes = row.integer(17);
  if (place == RowPlace::claim) read_claim(job, row);
  job.error = row.text(23);
  return job;
}

void show_ended(JobRecord& job, const EndedTimes& times) {
  job.state = ShownState::succeeded;
  job.reason = JobReason::none;
  job.started = times.started;
  job.finished = times.finished;
}

}  // namespace

std::optional<JobSeq> SqliteJobReader::seq_of(JobId id) {
  auto row = connection_.statement(kSeqOfId);
  const bool found = row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step();
  return found ? std::optional{JobSeq{row.integer(0)}} : std::nullopt;
}

std::optional<JobRecord> SqliteJobReader::find_job(JobId id) {
  const auto seq = seq_of(id);
  if (!seq) return std::nullopt;
  auto found = records(std::span{&*seq, 1});
  return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

std::vector<JobRecord> SqliteJobReader::records(std::span<const JobSeq> seqs) {
  std::vector<JobRecord> jobs;
  std::vector<JobSeq> open;
  jobs.reserve(seqs.size());
  for (const JobSeq seq : seqs) {
    auto row = connection_.statement(kJobRecord);
    if (!row.bind(seq.value).step()) continue;
    const auto place = static_cast<RowPlace>(row.integer(22));
    jobs.push_back(record_of(seq, row, place));
    if (place == RowPlace::in_lane_or_ended) open.push_back(seq);
  }
  const auto ended = ended_.find(open);
  for (JobRecord& job : jobs)
    if (const auto found = ended.find(job.seq); found != ended.end()) show_ended(job, found->second);
  return jobs;
}

std::vector<AttemptRecord> SqliteJobReader::attempts(JobSeq seq) {
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

std::optional<std::string> SqliteJobReader::envelope(JobSeq seq) {
  auto row = connection_.statement(kEnvelope);
  return row.bind(seq.value).step() ? std::optional{std::string{as_text(row.blob(0))}} : std::nullopt;
}

std::vector<const Query*> reader_queries() { return {&kJobRecord, &kSeqOfId, &kAttempts, &kEnvelope}; }

}  // namespace tenure::queue
