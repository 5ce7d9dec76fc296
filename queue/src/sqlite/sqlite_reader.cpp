#include "sqlite_reader.hpp"

#include "../job_rules.hpp"
#include "places.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <map>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Everything that is shown of one job. The place is of RowPlace, as far as it can be told without looking into `ended`.
// ?1 seq. Index: primary keys.
constexpr Query kJobRecord{"job_record", R"sql(
  select job.id, coalesce(tenant.name, case when job.tenant <> 0 then '(tenant ' || job.tenant || ' is missing)' end),
         coalesce(tenant.generation, 0), coalesce(tenant.state, 8),
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
         (select error from attempt where attempt.seq = job.seq and outcome in (1, 3) order by number desc limit 1),
         tenant.number is null, job.queue, job.kind, cancel_request.asked_us,
         progress.done, progress.total, progress.text, progress.told_us, length(job_cursor.cursor), job_cursor.saved_us,
         start_before.before_us,
         (select batch.id from batch_job join batch on batch.number = batch_job.batch where batch_job.seq = job.seq),
         job.tenant
  from job
  left join tenant on tenant.number = job.tenant
  left join queue on queue.number = job.queue
  left join kind on kind.number = job.kind
  left join claim on claim.seq = job.seq
  left join blocked on blocked.seq = job.seq
  left join cancel_request on cancel_request.seq = claim.seq and cancel_request.incarnation = claim.incarnation
    and cancel_request.counter = claim.counter
  left join progress on progress.seq = claim.seq and progress.incarnation = claim.incarnation
    and progress.counter = claim.counter
  left join job_cursor on job_cursor.seq = job.seq
  left join start_before on start_before.seq = job.seq
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
  select number, outcome, error_code, error, attempt.started_us, finished_us, attempt.incarnation, counter, process,
    coalesce(holder.node, ''), performer, attempt.pid, exit_code, signal
  from attempt left join holder on holder.incarnation = attempt.incarnation
  where seq = ?1 order by number)sql"};

// ?1 seq. Index: primary key.
constexpr Query kEnvelope{"envelope", "select envelope from job where seq = ?1"};

// ?1 after  ?2 until  ?3 limit. Index: primary key.
constexpr Query kLookedAt{"looked_at", R"sql(
  select seq, state, tenant, id, finished_us from job where seq > ?1 and seq <= ?2 order by seq limit ?3)sql"};

// Index: primary key.
constexpr Query kNewestOfAll{"newest_of_all", "select coalesce(max(seq), 0) from job"};

// How many there are at most. Index: primary key.
constexpr Query kRowsOfEnded{"rows_of_ended", R"sql(
  select coalesce((select max(number) from ended) - (select min(number) from ended) + 1, 0))sql"};

// Of exit_code and signal, which stand side by side.
std::optional<ProcessExit> exit_in(const sqlite::Statement& row, int column) {
  if (const auto signal = row.optional_integer(column + 1))
    return ProcessExit{ProcessExit::By::signal, clamped(*signal)};
  if (const auto code = row.optional_integer(column))
    return ProcessExit{ProcessExit::By::code, clamped(*code)};
  return std::nullopt;
}

std::optional<WallTime> optional_time(const sqlite::Statement& row, int column) {
  const auto us = row.optional_integer(column);
  return us ? std::optional{from_us(*us)} : std::nullopt;
}

JobState state_at(RowPlace place, std::int64_t row_state) {
  switch (place) {
    case RowPlace::ended:
      return job_state_of(row_state);
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
  job.cancel_asked = optional_time(row, 27);
  if (!row.is_null(28))
    job.progress =
        ToldProgress{{row.integer(28), row.integer(29), std::string{row.text(30)}}, from_us(row.integer(31))};
}

// Of a job that has not ended, what its row holds that keeps it from work.
std::string refusal_of(const sqlite::Statement& row, const std::optional<TenantName>& tenant) {
  if (is_final_row(row.integer(7))) return {};
  if (row.integer(24) != 0) return "the row of its tenant is missing";
  if (tenant && !tenant->keeps_rules()) return "the name of its tenant breaks the rules of names";
  if (!is_priority(row.integer(6))) return "its priority is " + std::to_string(row.integer(6));
  if (!counts_in(row, 13)) return "its attempts are counted wrongly";
  if (!Uuid::from_bytes(row.blob(0))) return "its id is none";
  return {};
}

JobRecord record_of(JobSeq seq, const sqlite::Statement& row, RowPlace place) {
  JobRecord job;
  job.seq = seq;
  if (const auto id = Uuid::from_bytes(row.blob(0))) job.id = JobId{*id};
  if (!row.is_null(1)) job.tenant = TenantName::stored(row.text(1));
  job.generation = Generation{row.integer(2)};
  job.tenant_state =
      row.is_null(1) ? tenant_state_of(row.integer(3)) : tenant_state_of(row.integer(3), *job.tenant);
  job.queue = row.text(4);
  job.kind = row.text(5);
  job.priority = Priority{clamped(row.integer(6))};
  job.refused = refusal_of(row, job.tenant);
  if (place == RowPlace::claim) read_claim(job, row);
  show_state(job, state_at(place, row.integer(7)), job_reason_of(row.integer(8)));
  job.created = from_us(row.integer(9));
  job.due = from_us(row.integer(10));
  if (place == RowPlace::ended) {
    if (row.integer(11) != kNeverStarted) job.started = from_us(row.integer(11));
    job.finished = from_us(row.integer(12));
  }
  if (place != RowPlace::ended) job.start_before = optional_time(row, 34);
  const JobCounts counts = clamped_counts_in(row, 13);
  job.attempts_max = counts.attempts_max;
  job.failures = counts.failures;
  job.crashes = counts.crashes;
  job.releases = counts.releases;
  job.size_bytes = row.integer(17);
  if (place != RowPlace::ended && !row.is_null(32))
    job.cursor = SavedCursor{row.integer(32), from_us(row.integer(33))};
  if (!row.is_null(35))
    if (const auto id = Uuid::from_bytes(row.blob(35))) job.batch = BatchId{*id};
  job.error = row.text(23);
  return job;
}

void show_ended(JobRecord& job, const EndedTimes& times) {
  job.refused.clear();
  job.cursor.reset();
  job.start_before.reset();
  job.held_by.clear();
  job.state = ShownState::succeeded;
  job.reason = JobReason::none;
  job.started = times.started;
  job.finished = times.finished;
}

// Of the tenants of one page.
class NewestGenerations {
 public:
  explicit NewestGenerations(sqlite::Connection& connection) : connection_(connection) {}

  TenantNumber of(TenantNumber tenant) {
    const auto [place, is_new] = known_.try_emplace(tenant, tenant);
    if (!is_new || tenant == kUntenanted) return place->second;
    const auto owner = tenant_numbered(connection_, tenant);
    const auto newest = owner ? newest_tenant(connection_, owner->name) : std::nullopt;
    if (newest) place->second = newest->number;
    return place->second;
  }

 private:
  sqlite::Connection& connection_;
  std::map<TenantNumber, TenantNumber> known_;
};

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
    if (jobs.back().state == ShownState::ready) {
      const TenantNumber tenant{row.integer(36)};
      const QueueNumber queue{row.integer(25)};
      const KindNumber kind{row.integer(26)};
      show_gate(jobs.back(), gate_of(tenant, queue, kind));
      if (is_held_by_limit(jobs.back())) jobs.back().held_by = limit_questions_.held_by(tenant, queue, kind);
    }
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
    attempt.number = clamped(row.integer(0));
    attempt.outcome = outcome_of(row.integer(1));
    if (const auto code = row.optional_integer(2)) attempt.error_code = error_code_of(*code);
    attempt.error = row.text(3);
    attempt.started = optional_time(row, 4);
    attempt.finished = from_us(row.integer(5));
    attempt.claim = {Incarnation{row.integer(6)}, row.integer(7)};
    attempt.process = ProcessNumber{row.integer(8)};
    attempt.node = row.text(9);
    attempt.place = {std::string{row.text(10)}, row.integer(11), exit_in(row, 12)};
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

std::optional<std::string> SqliteJobReader::envelope(JobSeq seq) {
  auto row = connection_.statement(kEnvelope);
  return row.bind(seq.value).step() ? std::optional{std::string{as_text(row.blob(0))}} : std::nullopt;
}

// Where many successes wait to be settled they count as none until they are: to look for those of each page among them all would cost
// more than it is worth.
UnsucceededJobs SqliteJobReader::unsucceeded_jobs(JobSeq after, JobSeq until, WallTime by,
                                                  std::size_t looks_max) {
  UnsucceededJobs found{.jobs = {},
                        .looked_until = until,
                        .newest = JobSeq{connection_.statement(kNewestOfAll).row().integer(0)}};
  std::vector<JobSeq> open;
  std::size_t looks = 0;
  NewestGenerations newest(connection_);
  auto row = connection_.statement(kLookedAt);
  row.bind(after.value, until.value, static_cast<std::int64_t>(looks_max));
  while (row.step()) {
    const JobSeq seq{row.integer(0)};
    if (++looks == looks_max) found.looked_until = seq;
    const bool has_succeeded = row.integer(1) == static_cast<std::int64_t>(JobState::succeeded);
    if (has_succeeded && from_us(row.integer(4)) < by) continue;
    const auto id = Uuid::from_bytes(row.blob(3));
    found.jobs.push_back({seq, newest.of(TenantNumber{row.integer(2)}), id ? JobId{*id} : JobId{}});
    if (!is_final_row(row.integer(1))) open.push_back(seq);
  }
  constexpr std::int64_t kEndedMax = 10'000;
  if (open.empty() || connection_.statement(kRowsOfEnded).row().integer(0) > kEndedMax) return found;
  const auto ended = ended_.find(open);
  std::erase_if(found.jobs, [&](const UnsucceededJob& job) {
    const auto end = ended.find(job.seq);
    return end != ended.end() && end->second.finished < by;
  });
  return found;
}

std::vector<const Query*> reader_queries() {
  return {&kJobRecord, &kSeqOfId, &kAttempts, &kEnvelope, &kLookedAt, &kNewestOfAll, &kRowsOfEnded};
}

}  // namespace tenure::queue
