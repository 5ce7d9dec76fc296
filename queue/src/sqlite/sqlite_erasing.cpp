#include "sqlite_erasing.hpp"

#include "../job_rules.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// Jobs of a generation that was put away for a copy stay: its tenant lives on. ?1 the last one that was looked at  ?2 limit. Index: primary
// keys.
constexpr Query kRowsToErase{"rows_to_erase", R"sql(
  select seq, id, tenant in (select tenant from deletion_end where step = 6
                             except select tenant from tenant_restore where is_put_away = 1)
  from job where seq > ?1 order by seq limit ?2)sql"};

// Index: primary key, its end.
constexpr Query kNewestToErase{"newest_to_erase", "select coalesce(max(seq), 0) from job"};

// ?1 tenant. Index: none for the tenant; requests that are open.
constexpr Query kEraseCaptureRequests{"erase_capture_requests",
                                      "delete from capture_request where tenant = ?1"};
// ?1 tenant. Index: primary key.
constexpr Query kEraseBehind{"erase_tenant_behind", "delete from tenant_behind where tenant = ?1"};
// Its error may quote a row of the tenant's. ?1 tenant. Index: primary key.
constexpr Query kEraseMigration{"erase_migration_of_tenant",
                                "delete from tenant_migration where tenant = ?1"};
// Where a job was cancelled only now. ?1 tenant. Index: outbox_mark_tenant.
constexpr Query kEraseMarks{"erase_marks_of_tenant", "delete from outbox_mark where tenant = ?1"};

// Each is prepared anew: SQLite obeys when a pragma is prepared, and not when it is carried out.
constexpr Query kOverwrite{"overwrite_deleted", "pragma secure_delete = on"};
constexpr Query kOverwriteNoMore{"overwrite_deleted_no_more", "pragma secure_delete = fast"};

// What `work` deletes is overwritten with zeros in its pages, and so are pages that are given back. Where it throws the rest of the
// transaction is undone, and later ones take longer.
void with_overwriting(Connection& connection, FunctionRef<void()> work) {
  connection.execute(kOverwrite);
  work();
  connection.execute(kOverwriteNoMore);
}

}  // namespace

ErasableJobs SqliteJobReader::erasable_jobs(JobSeq after, std::size_t looks_max) {
  ErasableJobs found{.jobs = {}, .looked_until = after};
  std::size_t looks = 0;
  auto row = connection_.statement(kRowsToErase);
  row.bind(after.value, looks_max);
  for (; row.step(); ++looks) {
    found.looked_until = JobSeq{row.integer(0)};
    if (row.integer(2) == 0) continue;
    if (const auto id = Uuid::from_bytes(row.blob(1))) found.jobs.push_back(JobId{*id});
  }
  found.is_end = looks < looks_max;
  return found;
}

// It was cancelled before its tenant was deleted; what a damaged file has left elsewhere is ended all the same.
Result<void> SqliteWriter::erase_job(JobId id, WallTime now) {
  auto job = named_job(id);
  if (!job) return tl::unexpected(std::move(job.error()));
  const JobSeq seq = job->place.seq;
  if (connection_.statement(kNewestToErase).row().integer(0) == seq.value) return newest_job_stays(id);
  if (!is_final(job->state))
    if (auto ended = cancel_by_operator(id, now); !ended) return ended;
  with_overwriting(connection_, [&] { remove_job(seq); });
  return {};
}

std::int64_t SqliteWriter::erase_rows_of(TenantNumber tenant, std::size_t limit) {
  std::int64_t erased = 0;
  with_overwriting(connection_, [&] {
    connection_.statement(kEraseCaptureRequests).bind(tenant.value).run();
    connection_.statement(kEraseBehind).bind(tenant.value).run();
    connection_.statement(kEraseMigration).bind(tenant.value).run();
    connection_.statement(kEraseMarks).bind(tenant.value).run();
    erased = batches_.erase_of(tenant, limit);
  });
  return erased;
}

std::vector<const Query*> erasing_queries() {
  return {&kRowsToErase, &kNewestToErase,  &kEraseCaptureRequests,
          &kEraseBehind, &kEraseMigration, &kEraseMarks};
}

}  // namespace tenure::queue
