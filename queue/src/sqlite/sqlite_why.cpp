#include "../job_rules.hpp"
#include "../limit_rules.hpp"
#include "pause_rows.hpp"
#include "pools.hpp"
#include "sqlite_reader.hpp"
#include "tenant_schema_rows.hpp"

#include <tenure/queue/why.hpp>

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 seq. Index: primary key.
constexpr Query kLaneOfJob{"lane_of_job", R"sql(
  select queue, priority, tenant, kind, due_us from job where seq = ?1)sql"};

// Of one lane, those before a place. ?1 to ?4 the lane  ?5, ?6 the place (due_us, seq)  ?7 limit. Index: primary key.
constexpr Query kReadyBefore{"ready_before", R"sql(
  select count(*) from (
    select 1 from ready where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4
      and (due_us, seq) < (?5, ?6) limit ?7))sql"};

// One step of a loose scan. ?1 queue  ?2 priority  ?3 the tenant before. Index: primary key.
constexpr Query kNextTenant{"next_tenant", R"sql(
  select tenant from ready where queue = ?1 and priority = ?2 and tenant > ?3 order by tenant limit 1)sql"};

// Of the rows of jobs that are in no lane's table.
constexpr std::int64_t kFreshLooks = 100'000;

struct StoredLane {
  std::int64_t queue = 0, priority = 0, tenant = 0, kind = 0;
  LanePlace place;
};

StoredLane stored_lane_of(sqlite::Connection& connection, JobSeq seq) {
  auto row = connection.statement(kLaneOfJob);
  if (!row.bind(seq.value).step()) return {};
  return {row.integer(0), row.integer(1), row.integer(2), row.integer(3), {from_us(row.integer(4)), seq}};
}

}  // namespace

LaneFacts SqliteJobReader::lane_facts(const JobRecord& job) {
  const StoredLane lane = stored_lane_of(connection_, job.seq);
  LaneGates gates = read_gates(connection_);
  const auto behind = behind_of(connection_, TenantNumber{lane.tenant});
  if (behind) gates.set_behind({{behind->tenant, behind->wanted}});
  const LimitsInTheWay limits = in_the_way(limits_of(job));
  const auto pools = performing_pools(dispatcher_facts(*this), job);
  return {.tenant = job.tenant_state,
          .is_queue_paused = is_paused(connection_, PauseScope::queue, job.queue),
          .is_kind_paused = is_paused(connection_, PauseScope::kind, job.kind),
          .has_dispatcher = has_dispatcher(),
          .pools = gates.pools_for(TenantNumber{lane.tenant}, QueueNumber{lane.queue}, KindNumber{lane.kind}),
          .is_at_cap = limits.is_at_cap,
          .next_start = limits.next_start,
          .behind = behind,
          .are_slots_taken = are_taken(pools),
          .are_slots_kept = are_kept(pools, job.priority)};
}

Lane SqliteJobReader::lane_of(const JobRecord& job) {
  const StoredLane lane = stored_lane_of(connection_, job.seq);
  return {QueueNumber{lane.queue}, Priority{static_cast<int>(lane.priority)}, TenantNumber{lane.tenant},
          KindNumber{lane.kind}};
}

WayAhead SqliteJobReader::way_ahead(const JobRecord& job) {
  const StoredLane lane = stored_lane_of(connection_, job.seq);
  WayAhead way;
  way.jobs = connection_.statement(kReadyBefore)
                 .bind(lane.queue, lane.priority, lane.tenant, lane.kind, to_us(lane.place.due),
                       lane.place.seq.value, kWayAheadMax)
                 .row()
                 .integer(0);
  std::unordered_set<std::int64_t> tenants;
  const auto add_tenant = [&](std::int64_t tenant) {
    if (tenant != lane.tenant && std::ssize(tenants) < kWayAheadMax &&
        may_be_claimed(state_of(TenantNumber{tenant})))
      tenants.insert(tenant);
  };
  std::int64_t at = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t seeks = 0; seeks < kWayAheadMax; ++seeks) {
    auto row = connection_.statement(kNextTenant);
    if (!row.bind(lane.queue, lane.priority, at).step()) break;
    at = row.integer(0);
    add_tenant(at);
  }
  std::int64_t looks = 0;
  for_each_fresh(
      [&](const FreshRow& fresh) {
        ++looks;
        if (fresh.queue.value != lane.queue || fresh.priority != lane.priority) return;
        add_tenant(fresh.tenant.value);
        const bool is_in_lane = fresh.tenant.value == lane.tenant && fresh.kind.value == lane.kind;
        if (is_in_lane && LanePlace{fresh.due, fresh.seq} < lane.place)
          way.jobs = std::min(way.jobs + 1, kWayAheadMax);
      },
      kFreshLooks);
  way.tenants = std::ssize(tenants);
  way.capped = std::max(way.jobs, way.tenants) >= kWayAheadMax || looks >= kFreshLooks;
  return way;
}

std::vector<const Query*> why_queries() { return {&kLaneOfJob, &kReadyBefore, &kNextTenant}; }

}  // namespace tenure::queue
