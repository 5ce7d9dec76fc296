#include "support/job_places.hpp"

#include "sqlite/tenant_ranges.hpp"

#include <tenure/base/text.hpp>

#include <array>

namespace tenure::testing {
namespace {

using sqlite::Query;

constexpr Query kPlacesOfJobs{"places_of_jobs", R"sql(
  select seq, state, final, running, in_lane, waits, blocks, ended, fresh from (
    select job.seq, job.state,
           job.state >= 4 as final,
           exists (select 1 from claim where claim.seq = job.seq) as running,
           exists (select 1 from ready where queue = job.queue and priority = job.priority and tenant = job.tenant
                     and kind = job.kind and due_us = job.due_us and seq = job.seq) as in_lane,
           exists (select 1 from scheduled where due_us = job.due_us and seq = job.seq) as waits,
           exists (select 1 from blocked where seq = job.seq) as blocks,
           -- A row that is settled and not yet deleted counts with the job's row, which is believed.
           job.state < 4 and exists (select 1 from ended where ended.seq = job.seq) as ended,
           job.state = 2 and job.seq > (select seq from mark where name = 'absorbed')
             and not exists (select 1 from ended where ended.seq = job.seq)
             and not exists (select 1 from claim where claim.seq = job.seq) as fresh
    from job)
  where final + running + in_lane + waits + blocks + ended + fresh <> 1)sql"};

struct Stray {
  const char* table;
  Query query;
};
constexpr std::array kStrays{
    Stray{"ready", {"stray_ready", R"sql(
      select seq from ready as each where not exists (
        select 1 from job where seq = each.seq and queue = each.queue and priority = each.priority
          and tenant = each.tenant and kind = each.kind and due_us = each.due_us))sql"}},
    Stray{"scheduled", {"stray_scheduled", R"sql(
      select seq from scheduled as each where not exists (
        select 1 from job where seq = each.seq and queue = each.queue and priority = each.priority
          and tenant = each.tenant and kind = each.kind and due_us = each.due_us))sql"}},
    Stray{"blocked", {"stray_blocked", R"sql(
      select seq from blocked as each where not exists (
        select 1 from job where seq = each.seq and queue = each.queue and priority = each.priority
          and tenant = each.tenant and kind = each.kind and due_us = each.due_us))sql"}},
    Stray{"claim", {"stray_claim", "select seq from claim where seq not in (select seq from job)"}},
    Stray{"ended, twice", {"twice_ended", "select seq from ended group by seq having count(*) > 1"}},
    Stray{"ended", {"stray_ended", R"sql(
      select seq from ended where exists (select 1 from job where seq = ended.seq and state not in (1, 2, 4)))sql"}},
    Stray{"attempt", {"stray_attempt", "select seq from attempt where seq not in (select seq from job)"}},
    Stray{"cancel_request", {"stray_cancel_request", R"sql(
      select seq from cancel_request as each where not exists (
        select 1 from claim where seq = each.seq and incarnation = each.incarnation and counter = each.counter))sql"}},
    Stray{"suspect", {"stray_suspect", "select seq from suspect where seq not in (select seq from job)"}}};

// Jobs whose tenant is not named by the range in which they lie, and ranges that overlap.
constexpr Query kUnnamed{"unnamed_tenants", R"sql(
  select job.seq, job.tenant, job_range.tenants from job_range join job on job.seq between job_range.first and job_range.last)sql"};
constexpr Query kOverlapping{"overlapping_ranges", R"sql(
  select first from job_range as each where exists (
    select 1 from job_range where first > each.first and first <= each.last))sql"};

void add_wrong_ranges(sqlite::Connection& connection, std::vector<std::string>& lines) {
  {
    auto row = connection.statement(kUnnamed);
    while (row.step())
      if (const std::int64_t tenant = row.integer(1); !queue::names_any(as_text(row.blob(2)), {&tenant, 1}))
        lines.push_back("range without the tenant of seq=" + std::to_string(row.integer(0)));
  }
  auto row = connection.statement(kOverlapping);
  while (row.step()) lines.push_back("range overlaps: first=" + std::to_string(row.integer(0)));
}

}  // namespace

std::vector<std::string> misplaced_jobs(sqlite::Connection& connection) {
  constexpr std::array kColumns{"seq",       "state",   "final", "claim", "ready",
                                "scheduled", "blocked", "ended", "fresh"};
  std::vector<std::string> lines;
  {
    auto row = connection.statement(kPlacesOfJobs);
    while (row.step()) {
      std::string line = "job";
      for (int column = 0; column < static_cast<int>(kColumns.size()); ++column)
        line += std::string{" "} + kColumns[static_cast<std::size_t>(column)] + "=" +
                std::to_string(row.integer(column));
      lines.push_back(std::move(line));
    }
  }
  for (const Stray& stray : kStrays) {
    auto row = connection.statement(stray.query);
    while (row.step())
      lines.push_back(std::string{"row of "} + stray.table + " seq=" + std::to_string(row.integer(0)));
  }
  add_wrong_ranges(connection, lines);
  return lines;
}

}  // namespace tenure::testing
