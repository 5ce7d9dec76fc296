#include "../job_rules.hpp"
#include "interned_names.hpp"
#include "places.hpp"
#include "pools.hpp"
#include "sqlite_reader.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/lock_holders.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace tenure::queue {
namespace {

using sqlite::Query;

// In the order of names. Index: unique names.
constexpr Query kQueues{"queues", "select number, name from queue order by name"};

// Ready rows, grouped in the order of the table. Index: primary key, the whole of it.
constexpr Query kReadyByQueue{"ready_by_queue", R"sql(
  select queue, tenant, count(*), min(due_us), priority, kind from ready
  group by queue, priority, tenant, kind)sql"};

// Index: primary key, the whole of it.
constexpr Query kScheduledByQueue{"scheduled_by_queue",
                                  "select queue, count(*) from scheduled group by queue"};
// Index: job_failed.
constexpr Query kDeadByQueue{"dead_by_queue", R"sql(
  select queue, count(*) from job indexed by job_failed where state = 5 and state > 4 group by queue)sql"};

// Scans of what runs now.
constexpr Query kRunningByQueue{"running_by_queue", R"sql(
  select job.queue, count(*) from claim cross join job on job.seq = claim.seq group by job.queue)sql"};
constexpr Query kRunningByTenant{"running_by_tenant", R"sql(
  select job.tenant, count(*) from claim cross join job on job.seq = claim.seq group by job.tenant)sql"};

// Index: job_failed.
constexpr Query kDeadByTenant{"dead_by_tenant", R"sql(
  select tenant, count(*) from job indexed by job_failed where state = 5 and state > 4 group by tenant)sql"};

// ?1 queue  ?2 priority  ?3 tenant. Index: primary key.
constexpr Query kReadyOfTenant{"ready_of_tenant", R"sql(
  select count(*), min(due_us), kind from ready where queue = ?1 and priority = ?2 and tenant = ?3
  group by kind)sql"};

constexpr Query kStoreId{"store_id", "select value from meta where name = 'store_id'"};
constexpr Query kCountJobs{"count_jobs", "select count(*) from job"};
constexpr Query kCountClaims{"count_claims", "select count(*) from claim"};
// Live ones. Index: tenant_live.
constexpr Query kCountTenants{
    "count_tenants",
    "select count(*) from tenant indexed by tenant_live where state <> 8 and name is not null"};
// Live ones. Index: tenant_live, the whole of it.
constexpr Query kTenantsByState{"tenants_by_state", R"sql(
  select state, count(*) from tenant indexed by tenant_live where state <> 8 and name is not null group by state)sql"};
constexpr Query kLastHolder{"last_holder", R"sql(
  select incarnation, node, pid, started_us from holder order by incarnation desc limit 1)sql"};
constexpr Query kSizeBytes{"size_bytes", R"sql(
  select page_count * page_size from pragma_page_count, pragma_page_size)sql"};
constexpr Query kLibraryVersion{"library_version", "select sqlite_version()"};

// Of jobs whose rows no lane has.
constexpr std::string_view kDamaged = "damaged";

using Counts = std::unordered_map<std::int64_t, std::int64_t>;

Counts counts_of(sqlite::Statement& rows) {
  Counts counts;
  while (rows.step()) counts[rows.integer(0)] += rows.integer(1);
  return counts;
}

Counts counts_of(sqlite::Statement&& rows) { return counts_of(rows); }

std::int64_t count_in(const Counts& counts, std::int64_t number) {
  const auto found = counts.find(number);
  return found == counts.end() ? 0 : found->second;
}

void lower(std::optional<WallTime>& oldest, WallTime due) {
  if (!oldest || due < *oldest) oldest = due;
}

}  // namespace

std::vector<QueueRecord> SqliteJobReader::queues() {
  struct Ready {
    std::int64_t ready = 0, held = 0;
    std::optional<WallTime> oldest;
    std::map<std::string_view, std::int64_t> held_by;
  };
  std::unordered_map<std::int64_t, Ready> ready;
  const auto add = [&](QueueNumber number, std::string_view reason, std::int64_t jobs, WallTime oldest) {
    Ready& queue = ready[number.value];
    (reason.empty() ? queue.ready : queue.held) += jobs;
    if (reason.empty()) lower(queue.oldest, oldest);
    else queue.held_by[reason] += jobs;
  };
  {
    auto row = connection_.statement(kReadyByQueue);
    while (row.step()) {
      const QueueNumber queue{row.integer(0)};
      add(queue,
          is_priority(row.integer(4))
              ? held_by(TenantNumber{row.integer(1)}, queue, KindNumber{row.integer(5)})
              : kDamaged,
          row.integer(2), from_us(row.integer(3)));
    }
  }
  for_each_fresh([&](const FreshRow& job) {
    add(job.queue, job.has_priority ? held_by(job.tenant, job.queue, job.kind) : kDamaged, 1, job.due);
  });
  const Counts scheduled = counts_of(connection_.statement(kScheduledByQueue));
  const Counts dead = counts_of(connection_.statement(kDeadByQueue));
  const Counts running = counts_of(connection_.statement(kRunningByQueue));
  std::set<std::int64_t> nameless;
  for (const auto& each : ready) nameless.insert(each.first);
  for (const Counts* const counts : {&scheduled, &dead, &running})
    for (const auto& each : *counts) nameless.insert(each.first);

  std::vector<QueueRecord> queues;
  const auto add_queue = [&](std::int64_t number, std::string name) {
    const Ready& waiting = ready[number];
    queues.push_back({std::move(name),
                      count_in(scheduled, number),
                      waiting.ready,
                      waiting.held,
                      count_in(running, number),
                      count_in(dead, number),
                      waiting.oldest,
                      {}});
    for (const auto& [reason, jobs] : waiting.held_by) queues.back().held_by.push_back({reason, jobs});
  };
  auto row = connection_.statement(kQueues);
  while (row.step()) {
    add_queue(row.integer(0), std::string{row.text(1)});
    nameless.erase(row.integer(0));
  }
  for (const std::int64_t number : nameless) add_queue(number, missing_name(NameTable::queue, number));
  return queues;
}

std::vector<TenantSummary> SqliteJobReader::tenants(const std::optional<TenantName>& after,
                                                    std::size_t limit) {
  return summaries_of(live_tenants(connection_, after, limit));
}

std::vector<TenantSummary> SqliteJobReader::tenants_named(std::span<const TenantName> names) {
  std::vector<TenantRecord> tenants;
  for (const TenantName& name : names)
    if (auto tenant = newest_tenant(connection_, name); tenant && tenant->state != TenantState::deleted)
      tenants.push_back(std::move(*tenant));
  return summaries_of(std::move(tenants));
}

std::map<TenantState, std::int64_t> SqliteJobReader::tenant_counts() {
  std::map<TenantState, std::int64_t> counts;
  auto row = connection_.statement(kTenantsByState);
  while (row.step()) counts[tenant_state_of(row.integer(0))] += row.integer(1);
  return counts;
}

std::vector<TenantSummary> SqliteJobReader::summaries_of(std::vector<TenantRecord> tenants) {
  const Counts running = counts_of(connection_.statement(kRunningByTenant));
  const Counts dead = counts_of(connection_.statement(kDeadByTenant));
  std::vector<TenantSummary> summaries;
  for (TenantRecord& tenant : tenants) {
    const std::int64_t number = tenant.number.value;
    summaries.push_back(
        {std::move(tenant), 0, 0, count_in(running, number), count_in(dead, number), std::nullopt});
  }
  add_ready_counts(summaries);
  return summaries;
}

void SqliteJobReader::add_ready_counts(std::vector<TenantSummary>& summaries) {
  const auto add = [](TenantSummary& summary, bool is_lane_open, std::int64_t jobs, WallTime oldest) {
    const bool open = is_lane_open && may_be_claimed(summary.tenant.state);
    (open ? summary.ready : summary.held) += jobs;
    if (open) lower(summary.oldest_ready, oldest);
  };
  std::unordered_map<TenantNumber, TenantSummary*> by_number;
  for (TenantSummary& summary : summaries) by_number.emplace(summary.tenant.number, &summary);
  for_each_fresh([&](const FreshRow& job) {
    if (const auto found = by_number.find(job.tenant); found != by_number.end())
      add(*found->second, job.has_priority && gates().of(job.queue, job.kind) == JobReason::none, 1, job.due);
  });
  // One seek for each tenant of the page in each priority of each queue, of which there are few.
  for (ReadyPriority at; go_to_next(connection_, at);) {
    for (TenantSummary& summary : summaries) {
      auto row = connection_.statement(kReadyOfTenant);
      row.bind(at.queue, at.priority, summary.tenant.number.value);
      while (row.step()) {
        const JobReason gate = gates().of(QueueNumber{at.queue}, KindNumber{row.integer(2)});
        add(summary, is_priority(at.priority) && gate == JobReason::none, row.integer(0),
            from_us(row.integer(1)));
      }
    }
  }
}

StoreSummary SqliteJobReader::summary() {
  StoreSummary summary;
  summary.backend = "sqlite";
  summary.path = connection_.path().string();
  summary.store_id = connection_.statement(kStoreId).row().text(0);
  summary.schema_version = sqlite::schema_version(connection_);
  summary.size_bytes = connection_.statement(kSizeBytes).row().integer(0);
  summary.wal_bytes = wal_bytes_();
  summary.library = "SQLite " + std::string{connection_.statement(kLibraryVersion).row().text(0)};
  summary.jobs = connection_.statement(kCountJobs).row().integer(0);
  summary.claims = connection_.statement(kCountClaims).row().integer(0);
  summary.tenants = connection_.statement(kCountTenants).row().integer(0);
  auto holder = connection_.statement(kLastHolder);
  if (holder.step())
    summary.last_holder = HolderRecord{Incarnation{holder.integer(0)}, std::string{holder.text(1)},
                                       holder.integer(2), from_us(holder.integer(3))};
  return summary;
}

bool SqliteJobReader::has_dispatcher() { return is_locked(dispatcher_lock_path(connection_.path())); }

std::vector<PoolRecord> SqliteJobReader::pools() { return read_pools(connection_); }

// Of a dispatcher that has ended nothing is said: the next one may have other pools.
const LaneGates& SqliteJobReader::gates() {
  if (!gates_) gates_ = has_dispatcher() ? read_gates(connection_) : LaneGates{};
  return *gates_;
}

std::vector<const Query*> summary_queries() {
  return {&kQueues,         &kReadyByQueue,    &kScheduledByQueue, &kDeadByQueue,
          &kRunningByQueue, &kRunningByTenant, &kDeadByTenant,     &kReadyOfTenant,
          &kStoreId,        &kCountJobs,       &kCountClaims,      &kCountTenants,
          &kTenantsByState, &kLastHolder,      &kSizeBytes,        &kLibraryVersion};
}

}  // namespace tenure::queue
