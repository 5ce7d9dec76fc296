#include "result_rows.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"

namespace tenure::queue {
namespace {

using sqlite::Query;

// Not of a tenant that is deleted. ?1 seq  ?2 now_us. Index: primary keys.
constexpr Query kResult{"result", R"sql(
  select result, keep_until_us from job_result where seq = ?1 and keep_until_us > ?2
    and not exists (select 1 from job cross join tenant on tenant.number = job.tenant
                    where job.seq = ?1 and tenant.state = 8))sql"};

// ?1 seq  ?2 result  ?3 keep_until_us. Index: primary key.
constexpr Query kKeepResult{"keep_result", R"sql(
  insert into job_result(seq, result, keep_until_us) values (?1, ?2, ?3) on conflict (seq) do nothing)sql"};

// ?1 now_us  ?2 limit. Index: job_result_over.
constexpr Query kForgetResults{"forget_results", R"sql(
  delete from job_result where seq in (
    select seq from job_result where keep_until_us <= ?1 order by keep_until_us limit ?2))sql"};

// ?1 seq. Index: primary key.
constexpr Query kForgetResult{"forget_result", "delete from job_result where seq = ?1"};

}  // namespace

std::optional<StoredResult> SqliteJobReader::result(JobSeq seq, WallTime now) {
  auto row = connection_.statement(kResult);
  if (!row.bind(seq.value, to_us(now)).step()) return std::nullopt;
  return StoredResult{std::string{row.text(0)}, from_us(row.integer(1))};
}

void SqliteWriter::keep_result(JobSeq seq, const JobResult& result, WallTime now) {
  connection_.statement(kKeepResult).bind(seq.value, result.text, to_us(now + result.keep_for)).run();
}

std::int64_t SqliteWriter::forget_results(WallTime now, std::size_t limit) {
  connection_.statement(kForgetResults).bind(to_us(now), limit).run();
  return connection_.changes();
}

void SqliteWriter::forget_result(JobSeq seq) { connection_.statement(kForgetResult).bind(seq.value).run(); }

std::vector<const Query*> result_queries() {
  return {&kResult, &kKeepResult, &kForgetResults, &kForgetResult};
}

}  // namespace tenure::queue
