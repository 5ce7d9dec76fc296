#include "lane_gates.hpp"

#include "reading_pools.hpp"

#include <algorithm>

namespace tenure::queue {

JobReason tenant_gate(TenantState tenant) {
  switch (tenant) {
    case TenantState::active:
      return JobReason::none;
    case TenantState::paused:
      return JobReason::tenant_paused;
    case TenantState::read_only:
      return JobReason::tenant_read_only;
    case TenantState::provisioning:
    case TenantState::migrating:
    case TenantState::failed:
    case TenantState::draining:
      return JobReason::tenant_not_ready;
    case TenantState::deleted:
      return JobReason::tenant_deleted;
  }
  return JobReason::tenant_not_ready;
}

JobReason tenant_gate(TenantState tenant, bool reads_only) {
  return tenant == TenantState::read_only && reads_only ? JobReason::none : tenant_gate(tenant);
}

JobReason pause_gate(bool is_queue_paused, bool is_kind_paused) {
  if (is_queue_paused) return JobReason::queue_paused;
  return is_kind_paused ? JobReason::kind_paused : JobReason::none;
}

JobReason lane_gate(std::span<const PoolForLane> pools) {
  if (pools.empty()) return JobReason::queue_without_pool;
  const auto has = [&](auto&& what) {
    return std::ranges::any_of(pools,
                               [&](const PoolForLane& pool) { return pool.takes_tenant && what(pool); });
  };
  if (!has([](const PoolForLane&) { return true; })) return JobReason::tenant_without_pool;
  if (!has([](const PoolForLane& pool) { return pool.has_worker; })) return JobReason::pool_without_worker;
  if (!has([](const PoolForLane& pool) { return pool.knows_kind; })) return JobReason::kind_unknown;
  const bool is_taken = has([](const PoolForLane& pool) { return pool.knows_kind && pool.has_schema; });
  return is_taken ? JobReason::none : JobReason::schema_behind;
}

bool is_read_by(std::span<const PoolForLane> pools) {
  return std::ranges::any_of(pools, [](const PoolForLane& pool) {
    return pool.takes_tenant && pool.knows_kind && pool.has_schema && pool.reads_only;
  });
}

bool is_read_in(std::span<const PoolRecord> pools, const TenantName& tenant, std::string_view queue,
                std::string_view kind) {
  return std::ranges::any_of(pools, [&](const PoolRecord& pool) {
    return pool.tenants.takes(tenant.text()) && std::ranges::binary_search(pool.queues, queue) &&
           std::ranges::binary_search(pool.reads_only, kind);
  });
}

std::vector<JobReason> gates_of(const LaneFacts& lane) {
  const bool reads_only = lane.pools && is_read_by(*lane.pools);
  std::vector<JobReason> gates{tenant_gate(lane.tenant, reads_only),
                               pause_gate(lane.is_queue_paused, false),
                               pause_gate(false, lane.is_kind_paused),
                               lane.has_dispatcher ? JobReason::none : JobReason::no_dispatcher,
                               lane.pools ? lane_gate(*lane.pools) : JobReason::none,
                               lane.is_at_cap ? JobReason::limit_cap : JobReason::none,
                               lane.next_start ? JobReason::limit_rate : JobReason::none,
                               lane.is_tenant_busy ? JobReason::tenant_busy : JobReason::none};
  std::erase(gates, JobReason::none);
  return gates;
}

bool LaneGates::Pool::takes(TenantNumber tenant) const {
  if (rule == PoolTenants::Rule::all) return true;
  return std::ranges::binary_search(tenants, tenant.value) == (rule == PoolTenants::Rule::only);
}

std::optional<std::vector<PoolForLane>> LaneGates::pools_for(TenantNumber tenant, QueueNumber queue,
                                                             KindNumber kind) const {
  if (!is_told_) return std::nullopt;
  const auto behind = behind_.find(tenant);
  std::vector<PoolForLane> pools;
  for (const Pool& pool : pools_) {
    if (!std::ranges::binary_search(pool.queues, queue.value)) continue;
    const auto wants = pool.schemas.find(kind.value);
    const bool has_schema =
        behind == behind_.end() || wants == pool.schemas.end() || wants->second < behind->second;
    const bool knows_kind = pool.has_worker && std::ranges::binary_search(pool.kinds, kind.value);
    pools.push_back({pool.has_worker, knows_kind, has_schema, pool.takes(tenant),
                     knows_kind && std::ranges::binary_search(pool.reads_only, kind.value)});
  }
  return pools;
}

bool LaneGates::is_queue_paused(QueueNumber queue) const {
  return std::ranges::binary_search(paused_queues_, queue.value);
}

bool LaneGates::is_kind_paused(KindNumber kind) const {
  return std::ranges::binary_search(paused_kinds_, kind.value);
}

bool LaneGates::reads_only(QueueNumber queue, KindNumber kind) const {
  return std::ranges::any_of(pools_, [&](const Pool& pool) {
    return pool.has_worker && std::ranges::binary_search(pool.queues, queue.value) &&
           std::ranges::binary_search(pool.kinds, kind.value) &&
           std::ranges::binary_search(pool.reads_only, kind.value);
  });
}

JobReason LaneGates::of(TenantNumber tenant, QueueNumber queue, KindNumber kind) const {
  const JobReason paused = pause_gate(is_queue_paused(queue), is_kind_paused(kind));
  if (paused != JobReason::none) return paused;
  const auto pools = pools_for(tenant, queue, kind);
  return pools ? lane_gate(*pools) : JobReason::none;
}

}  // namespace tenure::queue
