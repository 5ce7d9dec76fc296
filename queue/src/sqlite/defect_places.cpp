#include "defect_places.hpp"

#include "stored_values.hpp"
#include "tenant_ranges.hpp"

#include <tenure/base/text.hpp>

#include <array>
#include <set>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// Rows of a table in which jobs stand, whose job is not there or has ended. `find` names the row's key, of which the first or the last
// number is the job's; `remove` takes away the row of a key if that still is so. Index: primary keys.
struct Strays {
  std::string_view table;
  int keys;        // numbers of the key
  int seq_column;  // of `find`
  Query find;
  Query remove;
};
constexpr std::array kStrays{
    Strays{"ready",
           6,
           5,
           {"stray_ready", R"sql(
  select queue, priority, tenant, kind, due_us, seq from ready as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_ready", R"sql(
  delete from ready where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4 and due_us = ?5 and seq = ?6
    and not exists (select 1 from job where seq = ?6 and state < 4))sql"}},
    Strays{"scheduled",
           2,
           1,
           {"stray_scheduled", R"sql(
  select due_us, seq from scheduled as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_scheduled", R"sql(
  delete from scheduled where due_us = ?1 and seq = ?2
    and not exists (select 1 from job where seq = ?2 and state < 4))sql"}},
    Strays{"blocked",
           1,
           0,
           {"stray_blocked", R"sql(
  select seq from blocked as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_blocked", R"sql(
  delete from blocked where seq = ?1 and not exists (select 1 from job where seq = ?1 and state < 4))sql"}},
    Strays{"claim",
           1,
           0,
           {"stray_claim", "select seq from claim where seq not in (select seq from job)"},
           {"remove_stray_claim",
            "delete from claim where seq = ?1 and not exists (select 1 from job where seq = ?1)"}},
    Strays{"attempt",
           2,
           0,
           {"stray_attempt", "select seq, number from attempt where seq not in (select seq from job)"},
           {"remove_stray_attempt",
            "delete from attempt where seq = ?1 and number = ?2 and not exists (select 1 from job where seq "
            "= ?1)"}},
    Strays{"cancel_request",
           1,
           0,
           {"stray_cancel_request", R"sql(
  select seq from cancel_request as each where not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"},
           {"remove_stray_cancel_request", R"sql(
  delete from cancel_request as each where seq = ?1 and not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"}},
    Strays{"progress",
           1,
           0,
           {"stray_progress", R"sql(
  select seq from progress as each where not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"},
           {"remove_stray_progress", R"sql(
  delete from progress as each where seq = ?1 and not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"}},
    // ?2: it has succeeded, which stays so, and which another look would need a scan for.
    Strays{"job_cursor",
           2,
           0,
           {"stray_cursor", R"sql(
  select seq, seq in (select seq from ended) as has_ended from job_cursor
  where has_ended or seq not in (select seq from job where state <> 4))sql"},
           {"remove_stray_cursor", R"sql(
  delete from job_cursor where seq = ?1 and (?2 or not exists (select 1 from job where seq = ?1 and state <> 4)))sql"}},
    Strays{"start_before",
           1,
           0,
           {"stray_start_before", R"sql(
  select seq from start_before as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_start_before", R"sql(
  delete from start_before where seq = ?1 and not exists (select 1 from job where seq = ?1 and state < 4))sql"}},
    Strays{"failure_count",
           1,
           0,
           {"stray_failure_count", R"sql(
  select distinct seq from failure_count as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_failure_count", R"sql(
  delete from failure_count where seq = ?1 and not exists (select 1 from job where seq = ?1 and state < 4))sql"}},
    Strays{"job_result",
           1,
           0,
           {"stray_job_result", "select seq from job_result where seq not in (select seq from job)"},
           {"remove_stray_job_result",
            "delete from job_result where seq = ?1 and not exists (select 1 from job where seq = ?1)"}},
    Strays{"suspect",
           1,
           0,
           {"stray_suspect", "select seq from suspect where seq not in (select seq from job)"},
           {"remove_stray_suspect",
            "delete from suspect where seq = ?1 and not exists (select 1 from job where seq = ?1)"}},
    Strays{"job_key",
           1,
           0,
           {"stray_job_key", "select seq from job_key where seq not in (select seq from job)"},
           {"remove_stray_job_key",
            "delete from job_key where seq = ?1 and not exists (select 1 from job where seq = ?1)"}},
    Strays{"unique_key",
           1,
           0,
           {"stray_unique_key", "select seq from unique_key where seq not in (select seq from job)"},
           {"remove_stray_unique_key",
            "delete from unique_key where seq = ?1 and not exists (select 1 from job where seq = ?1)"}},
    // By its job's number alone, since its key is a text. Index: key_line_job.
    Strays{"key_line",
           1,
           0,
           {"stray_key_line", R"sql(
  select seq from key_line as each where not exists (
    select 1 from blocked where seq = each.seq and reason = 11))sql"},
           {"remove_stray_key_line", R"sql(
  delete from key_line where seq = ?1 and not exists (select 1 from blocked where seq = ?1 and reason = 11))sql"}}};

// The reasons for which a job is blocked are 3 (envelope_newer) and 12 (schedule_overlap), which a dispatcher lifts, 15 (generation), which an operator does, 10 (suspect), which
// ends with a trial, and 11 (limit_key), while it stands in the line of its key.
// Jobs that stand elsewhere too, or under another lane, are in other lists, since which place is right takes a decision.
// Index: primary keys.
constexpr Query kCauseless{"blocked_without_cause", R"sql(
  select blocked.seq
  from blocked cross join job on job.seq = blocked.seq
  where not (blocked.reason in (3, 12, 15)
             or (blocked.reason = 10 and exists (select 1 from suspect where suspect.seq = blocked.seq))
             or (blocked.reason = 11 and exists (
                   select 1 from job_key cross join key_line on key_line.key = job_key.key and key_line.tenant = blocked.tenant
                     and key_line.priority = blocked.priority and key_line.due_us = blocked.due_us and key_line.seq = blocked.seq
                   where job_key.seq = blocked.seq)))
    and (job.queue, job.priority, job.tenant, job.kind, job.due_us)
      is (blocked.queue, blocked.priority, blocked.tenant, blocked.kind, blocked.due_us)
    and job.state < 4
    and not (job.state = 2 and job.seq > coalesce((select seq from mark where name = 'absorbed'), 0))
    and not exists (select 1 from claim where claim.seq = job.seq)
    and job.seq not in (select seq from ready)
    and job.seq not in (select seq from scheduled)
    and job.seq not in (select seq from ended))sql"};

// The same of one, as it is in the transaction that mends it. Nobody puts a job into a lane that is not its own, and one that has
// succeeded is blocked no more, so that neither ready nor ended needs another scan. ?1 seq. Index: primary keys.
constexpr Query kStillCauseless{"still_blocked_without_cause", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind, job.due_us, blocked.reason = 10,
    exists (select 1 from suspect where suspect.seq = blocked.seq)
  from blocked cross join job on job.seq = blocked.seq
  where blocked.seq = ?1
    and not (blocked.reason in (3, 12, 15)
             or (blocked.reason = 10 and exists (select 1 from suspect where suspect.seq = blocked.seq))
             or (blocked.reason = 11 and exists (
                   select 1 from job_key cross join key_line on key_line.key = job_key.key and key_line.tenant = blocked.tenant
                     and key_line.priority = blocked.priority and key_line.due_us = blocked.due_us and key_line.seq = blocked.seq
                   where job_key.seq = blocked.seq)))
    and (job.queue, job.priority, job.tenant, job.kind, job.due_us)
      is (blocked.queue, blocked.priority, blocked.tenant, blocked.kind, blocked.due_us)
    and job.state < 4
    and not (job.state = 2 and job.seq > coalesce((select seq from mark where name = 'absorbed'), 0))
    and not exists (select 1 from claim where claim.seq = job.seq)
    and not exists (select 1 from ready where queue = job.queue and priority = job.priority and tenant = job.tenant
                      and kind = job.kind and due_us = job.due_us and seq = job.seq)
    and not exists (select 1 from scheduled where due_us = job.due_us and seq = job.seq))sql"};

// Jobs beside the range in which they lie. Index: primary keys.
constexpr Query kRangesOfJobs{"ranges_of_jobs", R"sql(
  select job_range.first, job.tenant, job_range.tenants
  from job_range cross join job on job.seq between job_range.first and job_range.last)sql"};
constexpr Query kOverlapping{"overlapping_ranges", R"sql(
  select first from job_range as each where exists (
    select 1 from job_range where first > each.first and first <= each.last))sql"};
// The same of one. ?1 first. Index: primary keys.
constexpr Query kRangeOfJobs{"range_of_jobs", R"sql(
  select job.tenant, job_range.tenants
  from job_range cross join job on job.seq between job_range.first and job_range.last
  where job_range.first = ?1)sql"};
constexpr Query kIsOverlapping{"is_overlapping_range", R"sql(
  select 1 from job_range as each where first = ?1 and exists (
    select 1 from job_range where first > each.first and first <= each.last))sql"};
constexpr Query kRemoveRange{"remove_range", "delete from job_range where first = ?1"};

bool names_tenant(std::string_view tenants, std::int64_t tenant) { return names_any(tenants, {&tenant, 1}); }

bool is_wrong_range(Connection& connection, std::int64_t first) {
  if (connection.statement(kIsOverlapping).bind(first).step()) return true;
  auto row = connection.statement(kRangeOfJobs);
  row.bind(first);
  while (row.step())
    if (!names_tenant(as_text(row.blob(1)), row.integer(0))) return true;
  return false;
}

}  // namespace

void for_each_stray(Connection& connection,
                    FunctionRef<bool(const DefectPlace&, std::string_view, std::int64_t)> fn) {
  for (std::size_t table = 0; table < kStrays.size(); ++table) {
    const Strays& strays = kStrays[table];
    auto row = connection.statement(strays.find);
    while (row.step()) {
      DefectPlace place{.defect = Defect::row_without_job, .table = table, .key = {}};
      for (int column = 0; column < strays.keys; ++column)
        place.key[static_cast<std::size_t>(column)] = row.integer(column);
      if (!fn(place, strays.table, row.integer(strays.seq_column))) return;
    }
  }
}

std::vector<DefectPlace> blocked_without_cause(Connection& connection, std::size_t limit) {
  std::vector<DefectPlace> places;
  auto row = connection.statement(kCauseless);
  while (places.size() < limit && row.step())
    places.push_back({.defect = Defect::blocked_without_cause, .table = 0, .key = {row.integer(0)}});
  return places;
}

std::vector<DefectPlace> wrong_ranges(Connection& connection, std::size_t limit) {
  std::set<std::int64_t> ranges;
  {
    auto row = connection.statement(kRangesOfJobs);
    while (ranges.size() < limit && row.step())
      if (!names_tenant(as_text(row.blob(2)), row.integer(1))) ranges.insert(row.integer(0));
  }
  auto row = connection.statement(kOverlapping);
  while (ranges.size() < limit && row.step()) ranges.insert(row.integer(0));
  std::vector<DefectPlace> places;
  for (const std::int64_t first : ranges)
    places.push_back({.defect = Defect::wrong_range, .table = 0, .key = {first}});
  return places;
}

std::vector<DefectPlace> find_places_to_mend(Connection& connection, Defect defect, std::size_t limit) {
  if (defect == Defect::blocked_without_cause) return blocked_without_cause(connection, limit);
  if (defect == Defect::wrong_range) return wrong_ranges(connection, limit);
  std::vector<DefectPlace> places;
  if (defect == Defect::row_without_job && limit > 0)
    for_each_stray(connection, [&](const DefectPlace& place, std::string_view, std::int64_t) {
      places.push_back(place);
      return places.size() < limit;
    });
  return places;
}

bool remove_stray(Connection& connection, const DefectPlace& place) {
  TENURE_INVARIANT(place.table < kStrays.size());
  const Strays& strays = kStrays[place.table];
  auto statement = connection.statement(strays.remove);
  for (int number = 0; number < strays.keys; ++number)
    statement.bind(place.key[static_cast<std::size_t>(number)]);
  statement.run();
  return connection.changes() > 0;
}

bool remove_wrong_range(Connection& connection, const DefectPlace& place) {
  const std::int64_t first = place.key.front();
  if (!is_wrong_range(connection, first)) return false;
  connection.statement(kRemoveRange).bind(first).run();
  return true;
}

std::optional<CauselessJob> causeless_job(Connection& connection, const DefectPlace& place) {
  auto row = connection.statement(kStillCauseless);
  row.bind(place.key.front());
  if (!row.step()) return std::nullopt;
  const JobArrival job = arrival_in(row);
  if (job.state != JobState::ready) return std::nullopt;  // its row holds what no lane has
  return CauselessJob{job, row.integer(6) != 0, row.integer(7) != 0};
}

std::vector<const Query*> defect_place_queries() {
  std::vector<const Query*> queries{&kCauseless,   &kStillCauseless, &kRangesOfJobs, &kOverlapping,
                                    &kRangeOfJobs, &kIsOverlapping,  &kRemoveRange};
  for (const Strays& strays : kStrays) {
    queries.push_back(&strays.find);
    queries.push_back(&strays.remove);
  }
  return queries;
}

}  // namespace tenure::queue
