#include "capsule_rows.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <array>
#include <bit>
#include <capsule_schema_text.hpp>
#include <optional>
#include <utility>

namespace tenure::replay {
namespace {

using sqlite::Query;
using sqlite::Statement;

constexpr Query kSchema{"capsule_schema_1", schema::k0001_capsule_sql};
constexpr Query kContextSchema{"capsule_schema_2", schema::k0002_context_sql};

constexpr Query kJobKeysSchema{"capsule_schema_3", schema::k0003_job_keys_sql};

constexpr Query kDrop{"drop_capsule_tables", R"sql(
  drop table main.tenure_capsule; drop table main.tenure_capsule_reading;
  drop table main.tenure_capsule_recorded; drop table main.tenure_capsule_job;
  drop table main.tenure_capsule_change; drop table main.tenure_capsule_digest;
  drop table if exists main.tenure_capsule_context; drop table if exists main.tenure_capsule_job_keys)sql"};

constexpr Query kInsertCapsule{"insert_capsule", R"sql(
  insert into main.tenure_capsule values
  (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
   ?23, ?24, ?25, ?26, ?27))sql"};
constexpr Query kInsertReading{"insert_reading", "insert into main.tenure_capsule_reading values (?1, ?2)"};
constexpr Query kInsertCall{"insert_call",
                            "insert into main.tenure_capsule_recorded values (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
constexpr Query kInsertJob{"insert_job",
                           "insert into main.tenure_capsule_job values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
constexpr Query kInsertJobKeys{"insert_job_keys",
                               "insert into main.tenure_capsule_job_keys values (?1, ?2, ?3)"};
constexpr Query kInsertChange{"insert_change",
                              "insert into main.tenure_capsule_change values (?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr Query kInsertContext{"insert_context",
                               "insert into main.tenure_capsule_context values (1, ?1, ?2, ?3)"};
constexpr Query kInsertDigest{"insert_digest", "insert into main.tenure_capsule_digest values (1, ?1)"};

constexpr Query kOwnObjects{"capsule_objects", R"sql(
  select type, name, sql from main.sqlite_schema
  where name like 'tenure\_capsule%' escape '\' or tbl_name like 'tenure\_capsule%' escape '\'
  order by rowid)sql"};
constexpr Query kVersion{"capsule_version", "select version from main.tenure_capsule"};
constexpr Query kHead{"capsule_head", R"sql(
  select tenure_version, program_version, application, started_us, masked, job_id, tenant, generation, kind,
         envelope, cursor, attempt, attempts_max, releases, time_limit_us, seq, incarnation, counter, request,
         request_on
  from main.tenure_capsule)sql"};
constexpr Query kOutcome{"capsule_outcome", R"sql(
  select seed, failure_code, error, cursor_after, tables_not_recorded from main.tenure_capsule)sql"};
constexpr Query kFailure{"capsule_failure", "select failure_code, error from main.tenure_capsule"};
constexpr Query kReadings{"readings", "select time_us from main.tenure_capsule_reading order by number"};
constexpr Query kCalls{"calls", R"sql(
  select name, value, failure_code, message, tenant, place from main.tenure_capsule_recorded
  order by number)sql"};
constexpr Query kJobs{"jobs", R"sql(
  select id, kind, queue, priority, due_us, attempts_max, arguments from main.tenure_capsule_job
  order by number)sql"};
constexpr Query kChanges{"changes", R"sql(
  select table_name, kind, key, before, after from main.tenure_capsule_change order by number)sql"};
constexpr Query kHasContext{"has_context", R"sql(
  select 1 from main.sqlite_schema where type = 'table' and name = 'tenure_capsule_context')sql"};
constexpr Query kHasJobKeys{"has_job_keys", R"sql(
  select 1 from main.sqlite_schema where type = 'table' and name = 'tenure_capsule_job_keys')sql"};
constexpr Query kJobKeys{"job_keys", R"sql(
  select number, keys, start_before_us from main.tenure_capsule_job_keys order by number)sql"};
constexpr Query kContext{"context", "select queue, enqueued_us, returned from main.tenure_capsule_context"};
constexpr Query kDigest{"digest", "select sha256 from main.tenure_capsule_digest"};

[[noreturn]] void refuse_capsule(const sqlite::Connection& connection, std::string_view what) {
  raise(ErrorCode::database_damaged, fmt::format("the capsule is damaged: {}", what), {},
        connection.path().string());
}

std::string json_of(const std::vector<std::string>& texts) {
  std::string json;
  json::Writer writer(json);
  writer.begin_array();
  for (const std::string& text : texts) writer.string(to_utf8(text));
  writer.end_array();
  return json;
}

std::vector<std::string> texts_in(const sqlite::Connection& connection, std::string_view json) {
  constexpr json::ReadLimits kLimits{.bytes_max = limits::kPayloadMax, .depth_max = 2};
  const auto document = json::Document::parse(json, kLimits);
  if (!document || document->root().type() != json::Type::array)
    refuse_capsule(connection, "a list of names is none");
  std::vector<std::string> texts;
  document->root().each_element([&](const json::Value& value) {
    const auto text = value.string();
    if (text) texts.emplace_back(*text);
    return text.has_value();
  });
  return texts;
}

queue::JobId id_in(const sqlite::Connection& connection, std::string_view text) {
  const auto id = Uuid::parse(text);
  if (!id) refuse_capsule(connection, "a job's id is none");
  return {*id};
}

std::optional<ErrorCode> code_in(const sqlite::Connection& connection, const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  const std::int64_t number = row.integer(column);
  if (number < 0 || number > UINT16_MAX) refuse_capsule(connection, "an error's code is none");
  return static_cast<ErrorCode>(number);
}

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

template <class E>
E enum_in(const sqlite::Connection& connection, std::int64_t number, E last) {
  if (number < 1 || number > static_cast<std::int64_t>(last))
    refuse_capsule(connection, "a number is unknown");
  return static_cast<E>(number);
}

void write_head_and_outcome(sqlite::Connection& connection, const Capsule& capsule) {
  const CapsuleHead& head = capsule.head;
  const queue::AssignedJob& job = head.job;
  const RunRecord& run = capsule.run;
  std::optional<std::int64_t> request;
  std::optional<std::int64_t> request_on;
  if (job.capture) {
    request = job.capture->request.value;
    request_on = static_cast<std::int64_t>(job.capture->on);
  }
  std::optional<std::int64_t> failure;
  std::optional<std::string> error;
  if (run.failure) {
    failure = static_cast<std::int64_t>(run.failure->code);
    error = to_utf8(run.failure->error);
  }
  const std::string id = job.id.text();
  const std::string masked = json_of(head.masked);
  const std::string left_out = json_of(run.tables_not_recorded);
  connection.statement(kInsertCapsule)
      .bind(kCapsuleVersion, head.tenure_version, head.program_version, head.application, to_us(head.started),
            masked, id, job.tenant ? job.tenant->text() : "", job.generation.value, job.kind, job.envelope,
            as_bytes(job.cursor), job.attempt, job.attempts_max, job.releases, job.time_limit.count(),
            job.claim.seq.value, job.claim.token.incarnation.value, job.claim.token.counter, request,
            request_on, std::bit_cast<std::int64_t>(run.seed),
            run.failure ? name_of(run.failure->code) : "succeeded", failure, error, as_bytes(run.cursor),
            left_out)
      .run();
}

template <class Items, class Insert>
void write_numbered(sqlite::Connection& connection, const Query& query, const Items& items, Insert&& insert) {
  std::int64_t number = 0;
  for (const auto& item : items) {
    Statement statement = connection.statement(query);
    statement.bind(++number);
    insert(statement, item);
    statement.run();
  }
}

// As SQLite keeps the texts.
std::string tables_of(std::string_view schema) {
  std::string tables;
  for (const std::string& statement : split(schema, ';')) {
    const std::size_t begin = statement.find("create table ");
    if (begin == std::string::npos) continue;
    tables += "CREATE TABLE " + statement.substr(begin + std::string_view{"create table "}.size()) + ";\n";
  }
  return tables;
}

bool has_context(sqlite::Connection& connection) { return connection.statement(kHasContext).step(); }

void write_job_keys(sqlite::Connection& connection, const std::vector<EnqueuedJob>& jobs) {
  std::int64_t number = 0;
  for (const EnqueuedJob& job : jobs) {
    ++number;
    if (job.keys.empty() && !job.start_before) continue;
    const auto start_before = job.start_before ? std::optional{to_us(*job.start_before)} : std::nullopt;
    connection.statement(kInsertJobKeys).bind(number, job.keys, start_before).run();
  }
}

void read_job_keys(sqlite::Connection& connection, RunRecord& run) {
  run.has_keys_of_jobs = connection.statement(kHasJobKeys).step();
  if (!run.has_keys_of_jobs) return;
  Statement row = connection.statement(kJobKeys);
  while (row.step()) {
    const std::int64_t number = row.integer(0);
    if (number < 1 || number > std::ssize(run.jobs)) refuse_capsule(connection, "keys are of no job");
    EnqueuedJob& job = run.jobs[static_cast<std::size_t>(number - 1)];
    job.keys = row.text(1);
    if (!row.is_null(2)) job.start_before = from_us(row.integer(2));
  }
}

}  // namespace

void make_capsule_tables(sqlite::Connection& connection) {
  connection.execute(kSchema);
  connection.execute(kContextSchema);
  connection.execute(kJobKeysSchema);
}
void drop_capsule_tables(sqlite::Connection& connection) { connection.execute(kDrop); }

void write_rows(sqlite::Connection& connection, const Capsule& capsule) {
  write_head_and_outcome(connection, capsule);
  const RunRecord& run = capsule.run;
  const queue::AssignedJob& of_context = capsule.head.job;
  connection.statement(kInsertContext).bind(of_context.queue, to_us(of_context.created), run.returned).run();
  write_numbered(connection, kInsertReading, run.readings,
                 [](Statement& row, WallTime time) { row.bind(to_us(time)); });
  write_numbered(connection, kInsertCall, run.calls, [](Statement& row, const RecordedCall& call) {
    if (!call.failure) {
      row.bind(call.name, call.value, nullptr, nullptr, nullptr, nullptr);
      return;
    }
    row.bind(call.name, nullptr, static_cast<std::int64_t>(call.failure->code), call.failure->message,
             call.failure->tenant, call.failure->where);
  });
  std::string id;
  write_numbered(connection, kInsertJob, run.jobs, [&id](Statement& row, const EnqueuedJob& job) {
    id = job.id.text();
    row.bind(id, job.kind, job.queue, job.priority, to_us(job.due), job.attempts_max, job.arguments);
  });
  write_job_keys(connection, run.jobs);
  write_numbered(connection, kInsertChange, run.changes, [](Statement& row, const RowChange& change) {
    row.bind(change.table, static_cast<std::int64_t>(change.kind), change.key, unless_empty(change.before),
             unless_empty(change.after));
  });
}

void write_digest(sqlite::Connection& connection, const std::string& digest) {
  connection.statement(kInsertDigest).bind(digest).run();
}

void require_capsule_tables(sqlite::Connection& connection) {
  std::string made;
  bool only_tables = true;
  {
    Statement row = connection.statement(kOwnObjects);
    while (row.step()) {
      only_tables &= row.text(0) == "table";
      made += row.text(2);
      made += ";\n";
    }
  }
  if (made.empty())
    raise(ErrorCode::database_damaged, "the file is no capsule: it has no table tenure_capsule", {},
          connection.path().string());
  // Read before anything else is expected of a version that may have other tables.
  if (!only_tables) refuse_capsule(connection, "something lies on its tables that Tenure has not made");
  Statement version = connection.statement(kVersion);
  if (!version.step()) refuse_capsule(connection, "its row is gone");
  if (version.integer(0) != kCapsuleVersion)
    raise(ErrorCode::schema_mismatch,
          fmt::format("the capsule is of version {}, this program replays version {}; use a program of the "
                      "release that wrote it",
                      version.integer(0), kCapsuleVersion),
          {}, connection.path().string());
  const std::string first = tables_of(schema::k0001_capsule_sql);
  const std::string second = first + tables_of(schema::k0002_context_sql);
  if (made != first && made != second && made != second + tables_of(schema::k0003_job_keys_sql))
    refuse_capsule(connection, "its tables are not as Tenure makes them");
}

CapsuleHead read_head_row(sqlite::Connection& connection) {
  Statement row = connection.statement(kHead);
  if (!row.step()) refuse_capsule(connection, "its row is gone");
  CapsuleHead head{.job = {},
                   .application = std::string{row.text(2)},
                   .program_version = std::string{row.text(1)},
                   .started = from_us(row.integer(3)),
                   .tenure_version = std::string{row.text(0)},
                   .masked = texts_in(connection, row.text(4))};
  // It goes into settings and Global IDs, and the digest is no seal.
  if (const std::string why = broken_name_rule(NameOf::application, head.application); !why.empty())
    refuse_capsule(connection, "its application's name " + why);
  queue::AssignedJob& job = head.job;
  job.id = id_in(connection, row.text(5));
  const auto tenant = TenantName::parse(row.text(6));
  if (!tenant) refuse_capsule(connection, "its tenant's name is none");
  job.tenant = *tenant;
  job.generation = Generation{row.integer(7)};
  job.kind = row.text(8);
  job.envelope = row.text(9);
  job.cursor = as_text(row.blob(10));
  job.attempt = static_cast<int>(row.integer(11));
  job.attempts_max = static_cast<int>(row.integer(12));
  job.releases = static_cast<int>(row.integer(13));
  job.time_limit = std::chrono::microseconds{row.integer(14)};
  job.claim = {queue::JobSeq{row.integer(15)}, {queue::Incarnation{row.integer(16)}, row.integer(17)}};
  if (!row.is_null(18))
    job.capture = queue::CaptureWish{queue::CaptureNumber{row.integer(18)},
                                     enum_in(connection, row.integer(19), queue::CaptureOn::any_end)};
  if (!has_context(connection)) return head;
  Statement context = connection.statement(kContext);
  if (!context.step()) refuse_capsule(connection, "the row of its context is gone");
  job.queue = context.text(0);
  job.created = from_us(context.integer(1));
  return head;
}

std::optional<queue::AttemptFailure> read_failure(sqlite::Connection& connection) {
  Statement row = connection.statement(kFailure);
  if (!row.step()) refuse_capsule(connection, "its row is gone");
  const auto code = code_in(connection, row, 0);
  if (!code) return std::nullopt;
  return queue::AttemptFailure{*code, std::string{row.text(1)}, {}};
}

RunRecord read_run_rows(sqlite::Connection& connection) {
  RunRecord run;
  {
    Statement row = connection.statement(kOutcome);
    if (!row.step()) refuse_capsule(connection, "its row is gone");
    run.seed = std::bit_cast<std::uint64_t>(row.integer(0));
    if (const auto code = code_in(connection, row, 1)) run.failure = {*code, std::string{row.text(2)}, {}};
    run.cursor = as_text(row.blob(3));
    run.tables_not_recorded = texts_in(connection, row.text(4));
  }
  if (has_context(connection)) {
    Statement context = connection.statement(kContext);
    if (!context.step()) refuse_capsule(connection, "the row of its context is gone");
    if (!context.is_null(2)) run.returned = std::string{context.text(2)};
  }
  Statement reading = connection.statement(kReadings);
  while (reading.step()) run.readings.push_back(from_us(reading.integer(0)));
  Statement call = connection.statement(kCalls);
  while (call.step()) {
    RecordedCall& made =
        run.calls.emplace_back(RecordedCall{std::string{call.text(0)}, std::string{call.text(1)}});
    if (const auto code = code_in(connection, call, 2))
      made.failure = {*code, std::string{call.text(3)}, std::string{call.text(4)}, std::string{call.text(5)}};
  }
  Statement job = connection.statement(kJobs);
  while (job.step())
    run.jobs.push_back({.id = id_in(connection, job.text(0)),
                        .kind = std::string{job.text(1)},
                        .queue = std::string{job.text(2)},
                        .priority = job.integer(3),
                        .due = from_us(job.integer(4)),
                        .attempts_max = job.integer(5),
                        .arguments = std::string{job.text(6)}});
  read_job_keys(connection, run);
  Statement change = connection.statement(kChanges);
  while (change.step())
    run.changes.push_back({.table = std::string{change.text(0)},
                           .kind = enum_in(connection, change.integer(1), RowChange::Kind::deleted),
                           .key = std::string{change.text(2)},
                           .before = std::string{change.text(3)},
                           .after = std::string{change.text(4)}});
  return run;
}

std::string read_digest(sqlite::Connection& connection) {
  Statement row = connection.statement(kDigest);
  if (!row.step()) refuse_capsule(connection, "its digest is gone");
  return std::string{row.text(0)};
}

}  // namespace tenure::replay
