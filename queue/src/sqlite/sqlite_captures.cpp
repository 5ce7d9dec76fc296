#include "../capture_rules.hpp"
#include "../job_rules.hpp"
#include "capture_row.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <algorithm>
#include <string>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 name. Index: unique name; a scan of pool_kind, which has few rows.
constexpr Query kKnowsKind{"knows_kind", R"sql(
  select exists (select 1 from kind where name = ?1) or exists (select 1 from pool_kind where kind = ?1))sql"};

// ?1 seq  ?2 id  ?3 tenant  ?4 kind  ?5 CaptureOn  ?6 count  ?7 now_us  ?8 until_us  ?9 uid  ?10 login  ?11 reason
constexpr Query kInsertCapture{"insert_capture", R"sql(
  insert into capture_request(seq, job, tenant, kind, ends, count_left, asked_us, until_us, uid, login, reason)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) returning number)sql"};

// A scan of at most kCapturesMax rows.
constexpr Query kCountCaptures{"count_captures", "select count(*) from capture_request"};

// ?1 number. Index: primary key.
constexpr Query kWithdrawCapture{"withdraw_capture",
                                 "delete from capture_request where number = ?1 returning number"};

// ?1 now_us. A scan of at most kCapturesMax rows.
constexpr Query kDeleteExpired{"delete_expired_captures", "delete from capture_request where until_us <= ?1"};

// Index: primary key.
constexpr Query kCapturesMark{"captures_mark", "select seq from mark where name = 'captures'"};

constexpr Query kOpenCaptures{"open_captures", R"sql(
  select number, seq, tenant, kind, ends, count_left, until_us from capture_request order by number)sql"};

// ?1 seq  ?2 request  ?3 now_us  ?4 file  ?5 error_code  ?6 error
constexpr Query kInsertCapsule{"insert_capsule", R"sql(
  insert into capsule(seq, request, at_us, file, error_code, error) values (?1, ?2, ?3, ?4, ?5, ?6)
  returning number)sql"};

// ?1 number. Index: primary key.
constexpr Query kDeleteOldCapsules{"delete_old_capsules", "delete from capsule where number <= ?1"};

// The last one that it may have. ?1 number. Index: primary key.
constexpr Query kEndCapture{"end_capture",
                            "delete from capture_request where number = ?1 and count_left <= 1"};

// ?1 number  ?2 taken  ?3 failed. Index: primary key.
constexpr Query kCountCapsule{"count_capsule", R"sql(
  update capture_request set count_left = count_left - 1, taken = taken + ?2, failed = failed + ?3 where number = ?1)sql"};

// ?1 seq. Index: capture_request_job.
constexpr Query kForgetCaptures{"forget_captures",
                                "delete from capture_request where seq is not null and seq = ?1"};
// ?1 seq. Index: capsule_job.
constexpr Query kForgetCapsules{"forget_capsules", "delete from capsule where seq = ?1"};

constexpr Query kCaptures{"captures", R"sql(
  select capture_request.number, job, kind, tenant.name, tenant.generation, ends, count_left, taken, failed, asked_us,
         until_us, uid, login, reason
  from capture_request left join tenant on tenant.number = capture_request.tenant
  order by capture_request.number)sql"};

constexpr Query kCapsules{"capsules", R"sql(
  select job.id, capsule.request, capsule.at_us, capsule.file, capsule.error_code, capsule.error
  from capsule left join job on job.seq = capsule.seq
  order by capsule.number desc)sql"};

// ?1 id. Index: unique id; capsule_job.
constexpr Query kCapsulesOfJob{"capsules_of_job", R"sql(
  select job.id, capsule.request, capsule.at_us, capsule.file, capsule.error_code, capsule.error
  from job join capsule on capsule.seq = job.seq
  where job.id = ?1 order by capsule.number desc)sql"};

std::span<const std::byte> id_bytes_of(const JobId& id) { return std::as_bytes(std::span{id.uuid.bytes()}); }

CaptureOn capture_on_of(std::int64_t value) {
  return value >= 1 && value <= 3 ? static_cast<CaptureOn>(value) : CaptureOn::failure;
}

std::optional<JobId> job_in(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  const auto id = Uuid::from_bytes(row.blob(column));
  return id ? std::optional{JobId{*id}} : std::nullopt;
}

CaptureRecord record_in(const sqlite::Statement& row) {
  CaptureRecord record;
  record.number = CaptureNumber{row.integer(0)};
  record.target.job = job_in(row, 1);
  record.target.kind = row.text(2);
  if (auto tenant = TenantName::parse(row.text(3))) record.target.tenant = std::move(*tenant);
  record.generation = Generation{row.integer(4)};
  record.on = capture_on_of(row.integer(5));
  record.left = clamped(row.integer(6));
  record.taken = row.integer(7);
  record.failed = row.integer(8);
  record.asked = from_us(row.integer(9));
  record.until = from_us(row.integer(10));
  record.uid = row.integer(11);
  record.login = row.text(12);
  record.reason = row.text(13);
  return record;
}

CapsuleNote note_in(const sqlite::Statement& row) {
  CapsuleNote note;
  note.job = job_in(row, 0);
  note.request = CaptureNumber{row.integer(1)};
  note.at = from_us(row.integer(2));
  note.file = row.text(3);
  if (const auto code = row.optional_integer(4))
    note.failure = Failure{error_code_of(*code), std::string{row.text(5)}};
  return note;
}

}  // namespace

Result<CaptureRow> SqliteWriter::capture_row(const CaptureTarget& target) {
  CaptureRow found;
  if (target.job) {
    const auto job = named_job(*target.job);
    if (!job) return tl::unexpected(job.error());
    if (auto fits = check_captured_job(*target.job, job->state, job->lane.tenant); !fits)
      return tl::unexpected(std::move(fits.error()));
    found.seq = job->place.seq;
  }
  if (target.tenant) {
    const auto tenant = newest_tenant(connection_, *target.tenant);
    if (!tenant) return unknown_tenant(*target.tenant);
    if (tenant->state == TenantState::deleted) return deleted_tenant(tenant->name, tenant->generation);
    found.tenant = tenant->number;
  }
  if (!target.kind.empty() && connection_.statement(kKnowsKind).bind(target.kind).row().integer(0) == 0)
    return unknown_capture_kind(target.kind);
  return found;
}

Result<CaptureNumber> SqliteWriter::ask_for_capture(const NewCapture& request, WallTime now) {
  if (auto fits = check_capture(request, now); !fits) return tl::unexpected(std::move(fits.error()));
  const CaptureTarget& target = request.target;
  const auto named = capture_row(target);
  if (!named) return tl::unexpected(named.error());
  remove_expired_captures(now);
  if (connection_.statement(kCountCaptures).row().integer(0) >= static_cast<std::int64_t>(kCapturesMax))
    return too_many_captures();
  const auto seq = named->seq ? std::optional{named->seq->value} : std::nullopt;
  const auto tenant = named->tenant ? std::optional{named->tenant->value} : std::nullopt;
  const auto id = target.job ? std::optional{id_bytes_of(*target.job)} : std::nullopt;
  const auto kind = target.kind.empty() ? std::nullopt : std::optional<std::string_view>{target.kind};
  auto row = connection_.statement(kInsertCapture);
  return CaptureNumber{row.bind(seq, id, tenant, kind, static_cast<int>(request.on), request.count,
                                to_us(now), to_us(request.until), request.uid, request.login, request.reason)
                           .row()
                           .integer(0)};
}

bool SqliteWriter::withdraw_capture(CaptureNumber number) {
  return connection_.statement(kWithdrawCapture).bind(number.value).step();
}

std::optional<OpenCaptures> SqliteWriter::open_captures(CapturesMark known) {
  OpenCaptures open;
  {
    auto row = connection_.statement(kCapturesMark);
    if (row.step()) open.mark = CapturesMark{row.integer(0)};
  }
  if (open.mark == known) return std::nullopt;
  auto row = connection_.statement(kOpenCaptures);
  while (row.step()) {
    OpenCapture request{.number = CaptureNumber{row.integer(0)},
                        .job = std::nullopt,
                        .kind = std::string{row.text(3)},
                        .tenant = std::nullopt,
                        .on = capture_on_of(row.integer(4)),
                        .left = clamped(row.integer(5)),
                        .until = from_us(row.integer(6))};
    if (const auto seq = row.optional_integer(1)) request.job = JobSeq{*seq};
    if (const auto tenant = row.optional_integer(2)) request.tenant = TenantNumber{*tenant};
    open.requests.push_back(std::move(request));
  }
  return open;
}

void SqliteWriter::remove_expired_captures(WallTime now) {
  connection_.statement(kDeleteExpired).bind(to_us(now)).run();
}

void SqliteWriter::note_capsule(JobSeq seq, const TakenCapsule& capsule, WallTime now) {
  const auto failure = capsule.failure ? std::optional{kept_failure(*capsule.failure)} : std::nullopt;
  const auto code = failure ? std::optional{static_cast<int>(failure->code)} : std::nullopt;
  std::int64_t number = 0;
  {
    auto row = connection_.statement(kInsertCapsule);
    number = row.bind(seq.value, capsule.request.value, to_us(now), capsule.file, code,
                      failure ? std::string_view{failure->message} : std::string_view{})
                 .row()
                 .integer(0);
  }
  connection_.statement(kDeleteOldCapsules).bind(number - kCapsulesKept).run();
  connection_.statement(kEndCapture).bind(capsule.request.value).run();
  const bool is_taken = !capsule.file.empty();
  connection_.statement(kCountCapsule).bind(capsule.request.value, is_taken ? 1 : 0, is_taken ? 0 : 1).run();
}

void SqliteWriter::forget_captures_of(JobSeq seq) {
  connection_.statement(kForgetCaptures).bind(seq.value).run();
  connection_.statement(kForgetCapsules).bind(seq.value).run();
}

std::vector<CaptureRecord> SqliteJobReader::captures() {
  std::vector<CaptureRecord> records;
  auto row = connection_.statement(kCaptures);
  while (row.step()) records.push_back(record_in(row));
  return records;
}

std::vector<CapsuleNote> SqliteJobReader::capsules(const std::optional<JobId>& job) {
  std::vector<CapsuleNote> notes;
  auto row = connection_.statement(job ? kCapsulesOfJob : kCapsules);
  if (job) row.bind(id_bytes_of(*job));
  while (row.step()) notes.push_back(note_in(row));
  return notes;
}

std::vector<const Query*> capture_queries() {
  return {&kKnowsKind,         &kInsertCapture, &kCountCaptures, &kWithdrawCapture,
          &kDeleteExpired,     &kCapturesMark,  &kOpenCaptures,  &kInsertCapsule,
          &kDeleteOldCapsules, &kEndCapture,    &kCountCapsule,  &kForgetCaptures,
          &kForgetCapsules,    &kCaptures,      &kCapsules,      &kCapsulesOfJob};
}

}  // namespace tenure::queue
