#include "defects.hpp"

#include "defect_places.hpp"

#include <tenure/base/text.hpp>

#include <array>
#include <limits>
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

// Index: primary keys.
constexpr Query kHolderless{"claim_without_holder", R"sql(
  select seq from claim where incarnation not in (select incarnation from holder))sql"};

// The mark up to which due jobs have a row of ready, above the newest job: whatever is enqueued next would be passed over.
constexpr Query kMarkBeyond{"mark_beyond", R"sql(
  select seq from mark where name = 'absorbed' and seq > coalesce((select max(seq) from job), 0))sql"};

constexpr Query kMarkMissing{"mark_missing",
                             "select 1 where not exists (select 1 from mark where name = 'absorbed')"};

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

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

}  // namespace

std::vector<DefectRecord> find_defects(Connection& connection, PageCheck page_check) {
  Findings findings;
  add_pages(connection, page_check, findings);
  // Rows of damaged pages are not to be trusted, nor may there be an end to them.
  if (!findings.empty()) return findings.take();
  add_places(connection, findings);
  for_each_stray(connection, [&](const DefectPlace&, std::string_view table, std::int64_t seq) {
    findings.add(Defect::row_without_job, std::string{table} + ", " + seq_text(seq));
    return true;
  });
  for (const Misplaced& misplaced : kMisplaced) add_misplaced(connection, misplaced, findings);
  for (const DefectPlace& place : blocked_without_cause(connection, kNoLimit))
    findings.add(Defect::blocked_without_cause, seq_text(place.key.front()));
  add_each(connection, kHolderless, Defect::claim_without_holder, "seq ", findings);
  add_each(connection, kMarkBeyond, Defect::wrong_counter, "the mark 'absorbed' is ", findings);
  if (connection.statement(kMarkMissing).step())
    findings.add(Defect::wrong_counter, "the mark 'absorbed' is missing");
  for (const DefectPlace& place : wrong_ranges(connection, kNoLimit))
    findings.add(Defect::wrong_range, "the range from " + std::to_string(place.key.front()));
  return findings.take();
}

std::optional<std::string> first_page_problem(Connection& connection, PageCheck page_check) {
  Findings findings;
  add_pages(connection, page_check, findings);
  const auto found = findings.take();
  return found.empty() ? std::nullopt : std::optional{found.front().example};
}

std::vector<const Query*> defect_queries() {
  std::vector<const Query*> queries{&kPlacesOfJobs, &kWronglyEnded, &kHolderless, &kMarkBeyond,
                                    &kMarkMissing};
  for (const Misplaced& misplaced : kMisplaced) queries.push_back(&misplaced.find);
  return queries;
}

}  // namespace tenure::queue
