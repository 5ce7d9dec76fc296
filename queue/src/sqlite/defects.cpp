#include "defects.hpp"

#include "stored_values.hpp"
#include "tenant_ranges.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr Query kQuickCheck{"quick_check", "pragma quick_check(100)"};
constexpr Query kIntegrityCheck{"integrity_check", "pragma integrity_check(100)"};

// Jobs that stand in no place or in several. A row of ended that is settled and not yet deleted counts with the job's row, which is
// believed. Index: primary keys, for each job.
constexpr Query kPlacesOfJobs{"places_of_jobs", R"sql(
  select seq, final, running, in_lane, waits, blocks, ended, fresh from (
    select job.seq,
           job.state >= 4 as final,
           exists (select 1 from claim where claim.seq = job.seq) as running,
           exists (select 1 from ready where queue = job.queue and priority = job.priority and tenant = job.tenant
                     and kind = job.kind and due_us = job.due_us and seq = job.seq) as in_lane,
           exists (select 1 from scheduled where due_us = job.due_us and seq = job.seq) as waits,
           exists (select 1 from blocked where seq = job.seq) as blocks,
           job.state < 4 and job.seq in (select seq from ended) as ended,
           job.state = 2 and job.seq > coalesce((select seq from mark where name = 'absorbed'), 0)
             and job.seq not in (select seq from ended)
             and not exists (select 1 from claim where claim.seq = job.seq) as fresh
    from job)
  where final + running + in_lane + waits + blocks + ended + fresh <> 1)sql"};

// Successes of one job in several rows, or of one that its own row says has ended otherwise. Index: primary keys.
constexpr Query kWronglyEnded{"wrongly_ended", R"sql(
  select seq from ended group by seq having count(*) > 1
  union
  select ended.seq from ended join job on job.seq = ended.seq where job.state not in (1, 2, 4))sql"};

// Rows of a table in which jobs stand, whose job is not there or has ended; and their removal, ?1 at most.
// Index: primary keys.
struct Strays {
  std::string_view table;
  Query find;
  Query remove;
};
constexpr std::array kStrays{
    Strays{"ready",
           {"stray_ready", R"sql(
  select seq from ready as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_ready", R"sql(
  delete from ready where (queue, priority, tenant, kind, due_us, seq) in (
    select queue, priority, tenant, kind, due_us, seq from ready as each where not exists (
      select 1 from job where seq = each.seq and state < 4) limit ?1))sql"}},
    Strays{"scheduled",
           {"stray_scheduled", R"sql(
  select seq from scheduled as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_scheduled", R"sql(
  delete from scheduled where (due_us, seq) in (
    select due_us, seq from scheduled as each where not exists (
      select 1 from job where seq = each.seq and state < 4) limit ?1))sql"}},
    Strays{"blocked",
           {"stray_blocked", R"sql(
  select seq from blocked as each where not exists (
    select 1 from job where seq = each.seq and state < 4))sql"},
           {"remove_stray_blocked", R"sql(
  delete from blocked where seq in (
    select seq from blocked as each where not exists (
      select 1 from job where seq = each.seq and state < 4) limit ?1))sql"}},
    Strays{"claim",
           {"stray_claim", "select seq from claim where seq not in (select seq from job)"},
           {"remove_stray_claim", R"sql(
  delete from claim where seq in (select seq from claim where seq not in (select seq from job) limit ?1))sql"}},
    Strays{"attempt",
           {"stray_attempt", "select seq from attempt where seq not in (select seq from job)"},
           {"remove_stray_attempt", R"sql(
  delete from attempt where (seq, number) in (
    select seq, number from attempt where seq not in (select seq from job) limit ?1))sql"}},
    Strays{"cancel_request",
           {"stray_cancel_request", R"sql(
  select seq from cancel_request as each where not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"},
           {"remove_stray_cancel_request", R"sql(
  delete from cancel_request where seq in (
    select seq from cancel_request as each where not exists (
      select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter)
    limit ?1))sql"}},
    Strays{"progress",
           {"stray_progress", R"sql(
  select seq from progress as each where not exists (
    select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"},
           {"remove_stray_progress", R"sql(
  delete from progress where seq in (
    select seq from progress as each where not exists (
      select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter) limit ?1))sql"}},
    Strays{"job_cursor",
           {"stray_cursor", R"sql(
  select seq from job_cursor where seq not in (select seq from job where state <> 4) or seq in (select seq from ended))sql"},
           {"remove_stray_cursor", R"sql(
  delete from job_cursor where seq in (
    select seq from job_cursor where seq not in (select seq from job where state <> 4)
      or seq in (select seq from ended) limit ?1))sql"}},
    Strays{"suspect",
           {"stray_suspect", "select seq from suspect where seq not in (select seq from job)"},
           {"remove_stray_suspect", R"sql(
  delete from suspect where seq in (select seq from suspect where seq not in (select seq from job) limit ?1))sql"}}};

// Rows in which a job waits under another queue, priority, tenant, kind or time than its own row says: it is not known which is right.
// Index: primary keys.
struct Misplaced {
  std::string_view table;
  Query find;
};
constexpr std::array kMisplaced{Misplaced{"ready", {"misplaced_ready", R"sql(
  select seq from ready as each where exists (
    select 1 from job where seq = each.seq and state < 4 and (queue, priority, tenant, kind, due_us)
      is not (each.queue, each.priority, each.tenant, each.kind, each.due_us)))sql"}},
                                Misplaced{"scheduled", {"misplaced_scheduled", R"sql(
  select seq from scheduled as each where exists (
    select 1 from job where seq = each.seq and state < 4 and (queue, priority, tenant, kind, due_us)
      is not (each.queue, each.priority, each.tenant, each.kind, each.due_us)))sql"}},
                                Misplaced{"blocked", {"misplaced_blocked", R"sql(
  select seq from blocked as each where exists (
    select 1 from job where seq = each.seq and state < 4 and (queue, priority, tenant, kind, due_us)
      is not (each.queue, each.priority, each.tenant, each.kind, each.due_us)))sql"}}};

// The reasons for which a job is blocked are 3 (envelope_newer), which a dispatcher lifts, and 10 (suspect), which ends with a trial.
// Jobs that stand elsewhere too, or under another lane, are in other lists, since which place is right takes a decision.
// Index: primary keys.
constexpr Query kCauseless{"blocked_without_cause", R"sql(
  select job.seq, job.queue, job.priority, job.tenant, job.kind, job.due_us, blocked.reason = 10
  from blocked cross join job on job.seq = blocked.seq
  where not (blocked.reason = 3
             or (blocked.reason = 10 and exists (select 1 from suspect where suspect.seq = blocked.seq)))
    and (job.queue, job.priority, job.tenant, job.kind, job.due_us)
      is (blocked.queue, blocked.priority, blocked.tenant, blocked.kind, blocked.due_us)
    and job.state < 4
    and not (job.state = 2 and job.seq > coalesce((select seq from mark where name = 'absorbed'), 0))
    and not exists (select 1 from claim where claim.seq = job.seq)
    and job.seq not in (select seq from ready)
    and job.seq not in (select seq from scheduled)
    and job.seq not in (select seq from ended))sql"};

// Index: primary keys.
constexpr Query kHolderless{"claim_without_holder", R"sql(
  select seq from claim where incarnation not in (select incarnation from holder))sql"};

// The mark up to which due jobs have a row of ready, above the newest job: whatever is enqueued next would be passed over.
constexpr Query kMarkBeyond{"mark_beyond", R"sql(
  select seq from mark where name = 'absorbed' and seq > coalesce((select max(seq) from job), 0))sql"};

constexpr Query kMarkMissing{"mark_missing",
                             "select 1 where not exists (select 1 from mark where name = 'absorbed')"};

// Jobs beside the range in which they lie. Index: primary keys.
constexpr Query kRangesOfJobs{"ranges_of_jobs", R"sql(
  select job_range.first, job.tenant, job_range.tenants
  from job_range cross join job on job.seq between job_range.first and job_range.last)sql"};
constexpr Query kOverlapping{"overlapping_ranges", R"sql(
  select first from job_range as each where exists (
    select 1 from job_range where first > each.first and first <= each.last))sql"};
// ?1 first. Index: primary key.
constexpr Query kRemoveRange{"remove_range", "delete from job_range where first = ?1"};

class Findings {
 public:
  void add(Defect defect, std::string example) {
    auto& record = records_[defect];
    record.defect = defect;
    if (++record.count == 1) record.example = std::move(example);
  }
  [[nodiscard]] bool empty() const { return records_.empty(); }
  std::vector<DefectRecord> take() {
    std::vector<DefectRecord> list;
    for (auto& [defect, record] : records_) list.push_back(std::move(record));
    return list;
  }

 private:
  std::map<Defect, DefectRecord> records_;
};

std::string seq_text(std::int64_t seq) { return "seq " + std::to_string(seq); }

void add_pages(Connection& connection, PageCheck page_check, Findings& findings) {
  if (page_check == PageCheck::none) return;
  auto row = connection.statement(page_check == PageCheck::quick ? kQuickCheck : kIntegrityCheck);
  try {
    while (row.step())
      if (row.text(0) != "ok") findings.add(Defect::damaged_page, escaped(row.text(0)));
  } catch (const Error& error) {
    // Where the damage is such that the check itself cannot go on, that is what it has found.
    if (error.code() != ErrorCode::database_damaged) throw;
    findings.add(Defect::damaged_page, escaped(error.failure().message));
  }
}

void add_places(Connection& connection, Findings& findings) {
  constexpr std::array<std::string_view, 7> kPlaces{"ended",   "claim", "ready",   "scheduled",
                                                    "blocked", "ended", "its lane"};
  {
    auto row = connection.statement(kPlacesOfJobs);
    while (row.step()) {
      std::string places;
      for (std::size_t place = 0; place < kPlaces.size(); ++place)
        if (row.integer(static_cast<int>(place) + 1) != 0)
          places += (places.empty() ? "" : ", ") + std::string{kPlaces[place]};
      const std::string seq = seq_text(row.integer(0));
      if (places.empty()) findings.add(Defect::job_in_no_place, seq);
      else findings.add(Defect::job_in_several_places, seq + ": in " + places);
    }
  }
  auto row = connection.statement(kWronglyEnded);
  while (row.step())
    findings.add(Defect::job_in_several_places, seq_text(row.integer(0)) + ": has ended in two ways");
}

void add_each(Connection& connection, const Query& query, Defect defect, std::string_view front,
              Findings& findings) {
  auto row = connection.statement(query);
  while (row.step()) findings.add(defect, std::string{front} + std::to_string(row.integer(0)));
}

// Such a job has two lanes: the one in which it waits, and its own.
void add_misplaced(Connection& connection, const Misplaced& misplaced, Findings& findings) {
  auto row = connection.statement(misplaced.find);
  while (row.step())
    findings.add(
        Defect::job_in_several_places,
        seq_text(row.integer(0)) + ": in " + std::string{misplaced.table} + ", and not as its own row says");
}

// The ranges that do not name the tenant of one of their jobs, and those that overlap.
std::vector<std::int64_t> wrong_ranges(Connection& connection) {
  std::vector<std::int64_t> ranges;
  const auto add = [&](std::int64_t first) {
    if (std::ranges::find(ranges, first) == ranges.end()) ranges.push_back(first);
  };
  {
    auto row = connection.statement(kRangesOfJobs);
    while (row.step())
      if (const std::int64_t tenant = row.integer(1); !names_any(as_text(row.blob(2)), {&tenant, 1}))
        add(row.integer(0));
  }
  auto row = connection.statement(kOverlapping);
  while (row.step()) add(row.integer(0));
  return ranges;
}

}  // namespace

std::vector<DefectRecord> find_defects(Connection& connection, PageCheck page_check) {
  Findings findings;
  add_pages(connection, page_check, findings);
  // Rows of damaged pages are not to be trusted, nor may there be an end to them.
  if (!findings.empty()) return findings.take();
  add_places(connection, findings);
  for (const Strays& strays : kStrays)
    add_each(connection, strays.find, Defect::row_without_job, std::string{strays.table} + ", seq ",
             findings);
  for (const Misplaced& misplaced : kMisplaced) add_misplaced(connection, misplaced, findings);
  add_each(connection, kCauseless, Defect::blocked_without_cause, "seq ", findings);
  add_each(connection, kHolderless, Defect::claim_without_holder, "seq ", findings);
  add_each(connection, kMarkBeyond, Defect::wrong_counter, "the mark 'absorbed' is ", findings);
  if (connection.statement(kMarkMissing).step())
    findings.add(Defect::wrong_counter, "the mark 'absorbed' is missing");
  for (const std::int64_t first : wrong_ranges(connection))
    findings.add(Defect::wrong_range, "the range from " + std::to_string(first));
  return findings.take();
}

std::optional<std::string> first_page_problem(Connection& connection, PageCheck page_check) {
  Findings findings;
  add_pages(connection, page_check, findings);
  const auto found = findings.take();
  return found.empty() ? std::nullopt : std::optional{found.front().example};
}

std::int64_t remove_strays(Connection& connection, Defect defect, std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  std::int64_t removed = 0;
  if (defect == Defect::row_without_job) {
    for (const Strays& strays : kStrays) {
      connection.statement(strays.remove).bind(most - removed).run();
      removed += connection.changes();
    }
  } else if (defect == Defect::wrong_range) {
    auto ranges = wrong_ranges(connection);
    ranges.resize(std::min(ranges.size(), limit));
    for (const std::int64_t first : ranges) connection.statement(kRemoveRange).bind(first).run();
    removed = std::ssize(ranges);
  }
  return removed;
}

std::vector<CauselessJob> blocked_without_cause(Connection& connection, std::size_t limit) {
  std::vector<CauselessJob> jobs;
  auto row = connection.statement(kCauseless);
  while (jobs.size() < limit && row.step())
    if (const JobArrival job = arrival_in(row); job.state == JobState::ready)
      jobs.push_back({job, row.integer(6) != 0});
  return jobs;
}

std::vector<const Query*> defect_queries() {
  std::vector<const Query*> queries{&kPlacesOfJobs, &kWronglyEnded, &kCauseless,   &kHolderless, &kMarkBeyond,
                                    &kMarkMissing,  &kRangesOfJobs, &kOverlapping, &kRemoveRange};
  for (const Misplaced& misplaced : kMisplaced) queries.push_back(&misplaced.find);
  for (const Strays& strays : kStrays) {
    queries.push_back(&strays.find);
    queries.push_back(&strays.remove);
  }
  return queries;
}

}  // namespace tenure::queue
