#include "audit_rows.hpp"
#include "defect_places.hpp"
#include "defects.hpp"
#include "places.hpp"
#include "seal_marks.hpp"
#include "sqlite_reader.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <map>
#include <string>
#include <tuple>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Scans of what waits, beside the jobs that have no row but their own.
constexpr Query kWaitingByTenant{"waiting_by_tenant", R"sql(
  select tenant, count(*) from ready group by tenant
  union all select tenant, count(*) from scheduled group by tenant
  union all select tenant, count(*) from blocked group by tenant)sql"};

// A scan of what runs now.
constexpr Query kClaimCensus{"claim_census", R"sql(
  select coalesce(sum(incarnation = newest), 0), coalesce(sum(incarnation is not newest), 0)
  from claim, (select max(incarnation) as newest from holder))sql"};

// ?1 seq. Index: primary key.
constexpr Query kSuspectAgain{
    "suspect_again", "insert into suspect(seq, deaths, trial, incarnation, counter) values (?1, 1, 0, 0, 0)"};

}  // namespace

void SqliteJobReader::for_each_audit(std::optional<std::int64_t> before,
                                     FunctionRef<bool(const AuditRecord&)> fn) {
  queue::for_each_audit(connection_, before, fn);
}

AuditVerdict SqliteJobReader::check_audit(const std::optional<AuditMark>& known) {
  return queue::check_audit(connection_, known);
}

SealMarks SqliteJobReader::seal_marks() { return read_seal_marks(connection_); }

std::vector<DefectRecord> SqliteJobReader::defects(PageCheck page_check) {
  return find_defects(connection_, page_check);
}

std::vector<DefectPlace> SqliteJobReader::places_to_mend(Defect defect, std::size_t limit) {
  return find_places_to_mend(connection_, defect, limit);
}

std::vector<DanglingWork> SqliteJobReader::dangling_work() {
  std::map<TenantNumber, std::int64_t> waiting;
  {
    auto row = connection_.statement(kWaitingByTenant);
    while (row.step()) waiting[TenantNumber{row.integer(0)}] += row.integer(1);
  }
  for_each_fresh([&](const FreshRow& job) { ++waiting[job.tenant]; });
  std::map<std::tuple<std::string, Generation>, DanglingWork> dangling;
  for (const auto& [number, jobs] : waiting) {
    const auto owner = tenant_numbered(connection_, number);
    if (!owner) continue;  // untenanted, or of a row that is missing, which is shown as refused
    const auto newest = newest_tenant(connection_, owner->name);
    if (owner->state == TenantState::deleted || (newest && newest->generation != owner->generation))
      dangling[{owner->name.text(), owner->generation}] = {owner->name.text(), owner->generation,
                                                           owner->state, jobs};
  }
  std::vector<DanglingWork> list;
  for (auto& [name, work] : dangling) list.push_back(std::move(work));
  return list;
}

ClaimCensus SqliteJobReader::claims() {
  auto row = connection_.statement(kClaimCensus);
  row.row();
  return {.of_newest_holder = row.integer(0), .of_others = row.integer(1)};
}

void SqliteWriter::set_seal_marks(const SealMarks& marks) {
  write_seal_marks(connection_, marks);
  seal_marks_ = marks;
}

void SqliteWriter::visit_news(JobSeq after, FunctionRef<void(std::string_view envelope)> fn) {
  queue::visit_news(connection_, after, fn);
}

void SqliteWriter::append_audit(const AuditEntry& entry, WallTime now) {
  queue::append_audit(connection_, entry, now);
}

std::int64_t SqliteWriter::mend(std::span<const DefectPlace> places) {
  std::int64_t mended = 0;
  for (const DefectPlace& place : places) {
    if (place.defect == Defect::row_without_job) mended += remove_stray(connection_, place) ? 1 : 0;
    if (place.defect == Defect::wrong_range) mended += remove_wrong_range(connection_, place) ? 1 : 0;
    if (place.defect == Defect::blocked_without_cause) mended += mend_causeless(place) ? 1 : 0;
  }
  return mended;
}

bool SqliteWriter::mend_causeless(const DefectPlace& place) {
  const auto found = causeless_job(connection_, place);
  if (!found) return false;
  const JobArrival& job = found->job;
  if (found->is_blocked_as_suspect || found->is_noted_as_suspect) {
    block_again(*found);
    return true;
  }
  delete_blocked(connection_, job.seq);
  NamedJob named;
  named.lane = job.lane;
  named.place = {job.due, job.seq};
  place_in_lane(named, job.due);
  return true;
}

// It may have ended a daemon or its worker process, so it stays blocked until it has been tried, and where it is noted what it has done
// that stays as well.
void SqliteWriter::block_again(const CauselessJob& found) {
  const JobArrival& job = found.job;
  delete_blocked(connection_, job.seq);
  insert_blocked(connection_, job.lane, {job.due, job.seq}, JobReason::suspect);
  if (!found.is_noted_as_suspect) connection_.statement(kSuspectAgain).bind(job.seq.value).run();
  hint_at(job.seq);
}

std::vector<const Query*> inspection_queries() { return {&kWaitingByTenant, &kClaimCensus, &kSuspectAgain}; }

}  // namespace tenure::queue
