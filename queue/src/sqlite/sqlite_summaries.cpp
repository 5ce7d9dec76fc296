#include "../job_rules.hpp"
#include "../pause_rules.hpp"
#include "../reading_pools.hpp"
#include "interned_names.hpp"
#include "pause_rows.hpp"
#include "places.hpp"
#include "pools.hpp"
#include "sqlite_reader.hpp"
#include "stored_values.hpp"
#include "tenant_life_rows.hpp"
#include "tenant_rows.hpp"
#include "tenant_schema_rows.hpp"

#include <tenure/base/lock_holders.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace tenure::queue {
namespace {

using sqlite::Query;

// In the order of names. Index: unique names.
constexpr Query kQueues{"queues", "select number, name from queue order by name"};
constexpr Query kKinds{"kinds", "select number, name from kind order by name"};

// Lanes and what is in them, in the order of the table. Index: primary key, the whole of it.
constexpr Query kReadyByLane{"ready_by_lane", R"sql(
  select queue, tenant, count(*), min(due_us), priority, kind from ready
  group by queue, priority, tenant, kind)sql"};

// Index: primary key, the whole of it.
constexpr Query kScheduledByQueue{"scheduled_by_queue",
                                  "select queue, count(*) from scheduled group by queue"};
constexpr Query kScheduledByKind{"scheduled_by_kind", "select kind, count(*) from scheduled group by kind"};
// Index: job_failed.
constexpr Query kDeadByQueue{"dead_by_queue", R"sql(
  select queue, count(*) from job indexed by job_failed where state = 5 and state > 4 group by queue)sql"};
constexpr Query kDeadByKind{"dead_by_kind", R"sql(
  select kind, count(*) from job indexed by job_failed where state = 5 and state > 4 group by kind)sql"};

// Scans of what runs now.
constexpr Query kRunningByQueue{"running_by_queue", R"sql(
  select job.queue, count(*) from claim cross join job on job.seq = claim.seq group by job.queue)sql"};
constexpr Query kRunningByKind{"running_by_kind", R"sql(
  select job.kind, count(*) from claim cross join job on job.seq = claim.seq group by job.kind)sql"};
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

struct Ready {
  std::int64_t ready = 0, held = 0;
  std::optional<WallTime> oldest;
  std::map<JobReason, std::int64_t> held_by;
  void add(JobReason gate, std::int64_t jobs, WallTime due) {
    if (gate == JobReason::none) {
      ready += jobs;
      lower(oldest, due);
    } else {
      held += jobs;
      held_by[gate] += jobs;
    }
  }
  [[nodiscard]] std::vector<HeldJobs> told() const {
    std::vector<HeldJobs> reasons;
    for (const auto& [reason, jobs] : held_by) reasons.push_back({reason, jobs});
    return reasons;
  }
};
using ReadyCounts = std::unordered_map<std::int64_t, Ready>;

// fn(lane, why its jobs are held, how many, the oldest) for all that have rows of `ready`. A priority that is none has no lane.
void add_lanes(sqlite::Connection& connection, FunctionRef<JobReason(const Lane&)> gate_of,
               FunctionRef<void(const Lane&, JobReason, std::int64_t, WallTime)> fn) {
  auto row = connection.statement(kReadyByLane);
  while (row.step()) {
    const Lane lane{
        QueueNumber{row.integer(0)}, {}, TenantNumber{row.integer(1)}, KindNumber{row.integer(5)}};
    fn(lane, is_priority(row.integer(4)) ? gate_of(lane) : JobReason::row_refused, row.integer(2),
       from_us(row.integer(3)));
  }
}

}  // namespace

struct SqliteJobReader::Grouping {
  NameTable table;
  const Query& names;
  const Query& scheduled;
  const Query& dead;
  const Query& running;
  [[nodiscard]] std::int64_t of(QueueNumber queue, KindNumber kind) const {
    return table == NameTable::queue ? queue.value : kind.value;
  }
};

std::vector<QueueRecord> SqliteJobReader::queues() {
  auto rows = counted_by({NameTable::queue, kQueues, kScheduledByQueue, kDeadByQueue, kRunningByQueue});
  add_pauses(rows, pauses(), PauseScope::queue);
  return rows;
}

std::vector<KindRecord> SqliteJobReader::kinds() {
  auto rows = counted_by({NameTable::kind, kKinds, kScheduledByKind, kDeadByKind, kRunningByKind});
  add_pauses(rows, pauses(), PauseScope::kind);
  return rows;
}

std::vector<QueueRecord> SqliteJobReader::counted_by(const Grouping& grouping) {
  ReadyCounts ready;
  add_lanes(
      connection_, [this](const Lane& lane) { return gate_of(lane.tenant, lane.queue, lane.kind); },
      [&](const Lane& lane, JobReason gate, std::int64_t jobs, WallTime oldest) {
        ready[grouping.of(lane.queue, lane.kind)].add(gate, jobs, oldest);
      });
  for_each_fresh([&](const FreshRow& job) {
    const JobReason gate =
        is_priority(job.priority) ? gate_of(job.tenant, job.queue, job.kind) : JobReason::row_refused;
    ready[grouping.of(job.queue, job.kind)].add(gate, 1, job.due);
  });
  const Counts scheduled = counts_of(connection_.statement(grouping.scheduled));
  const Counts dead = counts_of(connection_.statement(grouping.dead));
  const Counts running = counts_of(connection_.statement(grouping.running));
  std::set<std::int64_t> nameless;
  for (const auto& each : ready) nameless.insert(each.first);
  for (const Counts* const counts : {&scheduled, &dead, &running})
    for (const auto& each : *counts) nameless.insert(each.first);

  std::vector<QueueRecord> rows;
  const auto add_row = [&](std::int64_t number, std::string name) {
    const Ready& waiting = ready[number];
    rows.push_back({.name = std::move(name),
                    .scheduled = count_in(scheduled, number),
                    .ready = waiting.ready,
                    .held = waiting.held,
                    .running = count_in(running, number),
                    .dead = count_in(dead, number),
                    .oldest_ready = waiting.oldest,
                    .held_by = waiting.told()});
  };
  auto row = connection_.statement(grouping.names);
  while (row.step()) {
    add_row(row.integer(0), std::string{row.text(1)});
    nameless.erase(row.integer(0));
  }
  for (const std::int64_t number : nameless) add_row(number, missing_name(grouping.table, number));
  return rows;
}

std::optional<TenantSummary> SqliteJobReader::tenant(const TenantName& name) {
  auto newest = newest_tenant(connection_, name);
  if (!newest) return std::nullopt;
  const std::int64_t number = newest->number.value;
  std::vector<TenantSummary> found{
      {std::move(*newest), 0, 0, count_in(counts_of(connection_.statement(kRunningByTenant)), number),
       count_in(counts_of(connection_.statement(kDeadByTenant)), number), std::nullopt}};
  found.front().migration = last_migration(TenantNumber{number});
  found.front().pause = read_tenant_pause(connection_, found.front().tenant);
  add_ready_counts(found);
  return found.front();
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
    TenantSummary& summary = summaries.back();
    if (summary.tenant.state == TenantState::paused || summary.tenant.state == TenantState::failed)
      summary.pause = read_tenant_pause(connection_, summary.tenant);
  }
  add_migrations(summaries);
  add_ready_counts(summaries);
  return summaries;
}

void SqliteJobReader::add_ready_counts(std::vector<TenantSummary>& summaries) {
  const auto add = [](TenantSummary& summary, bool is_open, std::int64_t jobs, WallTime oldest) {
    (is_open ? summary.ready : summary.held) += jobs;
    if (is_open) lower(summary.oldest_ready, oldest);
  };
  std::unordered_map<TenantNumber, TenantSummary*> by_number;
  for (TenantSummary& summary : summaries) by_number.emplace(summary.tenant.number, &summary);
  for_each_fresh([&](const FreshRow& job) {
    if (const auto found = by_number.find(job.tenant); found != by_number.end())
      add(*found->second,
          is_priority(job.priority) && gate_of(job.tenant, job.queue, job.kind) == JobReason::none, 1,
          job.due);
  });
  // One seek for each tenant of the page in each priority of each queue, of which there are few.
  for (ReadyPriority at; go_to_next(connection_, at);) {
    for (TenantSummary& summary : summaries) {
      auto row = connection_.statement(kReadyOfTenant);
      row.bind(at.queue, at.priority, summary.tenant.number.value);
      while (row.step()) {
        const JobReason gate =
            gate_of(summary.tenant.number, QueueNumber{at.queue}, KindNumber{row.integer(2)});
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
  summary.last_holder = last_holder();
  return summary;
}

std::optional<HolderRecord> SqliteJobReader::last_holder() {
  auto holder = connection_.statement(kLastHolder);
  if (!holder.step()) return std::nullopt;
  return HolderRecord{Incarnation{holder.integer(0)}, std::string{holder.text(1)}, holder.integer(2),
                      from_us(holder.integer(3))};
}

bool SqliteJobReader::has_dispatcher() { return is_locked(dispatcher_lock_path(connection_.path())); }

std::vector<PoolRecord> SqliteJobReader::pools() { return read_pools(connection_); }

std::vector<PoolSlots> SqliteJobReader::pool_slots() { return read_pool_slots(connection_); }

JobReason SqliteJobReader::gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind) {
  const TenantState state = state_of(tenant);
  bool reads_only = state == TenantState::read_only && gates().reads_only(queue, kind);
  if (reads_only) reads_only = is_read_by(gates().pools_for(tenant, queue, kind).value());
  const JobReason gate = tenant_gate(state, reads_only);
  return gate != JobReason::none ? gate : lane_gate_of(tenant, queue, kind);
}

JobReason SqliteJobReader::lane_gate_of(TenantNumber tenant, QueueNumber queue, KindNumber kind) {
  const JobReason gate = gates().of(tenant, queue, kind);
  return gate != JobReason::none ? gate : limit_questions_.gate_of(tenant, queue, kind);
}

// Of a dispatcher that has ended nothing is said: the next one may have other pools.
const LaneGates& SqliteJobReader::gates() {
  if (gates_) return *gates_;
  gates_ = has_dispatcher() ? read_gates(connection_) : LaneGates{};
  std::map<TenantNumber, std::int64_t> behind;
  for (const TenantBehind& tenant : read_behind(connection_)) behind[tenant.tenant] = tenant.wanted;
  gates_->set_behind(std::move(behind));
  gates_->set_paused(paused_numbers(connection_, PauseScope::queue),
                     paused_numbers(connection_, PauseScope::kind));
  return *gates_;
}

std::vector<const Query*> summary_queries() {
  return {&kQueues,       &kKinds,          &kReadyByLane,    &kScheduledByQueue, &kScheduledByKind,
          &kDeadByQueue,  &kDeadByKind,     &kRunningByQueue, &kRunningByKind,    &kRunningByTenant,
          &kDeadByTenant, &kReadyOfTenant,  &kStoreId,        &kCountJobs,        &kCountClaims,
          &kCountTenants, &kTenantsByState, &kLastHolder,     &kSizeBytes,        &kLibraryVersion};
}

}  // namespace tenure::queue
