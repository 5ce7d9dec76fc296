#pragma once

#include <tenure/queue/tenant_schema.hpp>
#include <tenure/queue/types.hpp>

#include <optional>
#include <span>
#include <vector>

// Why the ready jobs of a lane cannot start: the one rule of it. The dispatcher feeds it from memory, and whoever looks from the store,
// so that they cannot say different things.
namespace tenure::queue {

// What a pool that lists the lane's queue has for the lane.
struct PoolForLane {
  bool has_worker = false;  // a live one that has said hello
  bool knows_kind = false;  // one of them has named the kind
  bool has_schema = true;   // and the tenant's database is not known to be older than that one wants
  bool takes_tenant = true;
  bool reads_only = false;  // one that knows the kind says that its jobs only read
};

struct LaneFacts {
  TenantState tenant = TenantState::active;  // that of untenanted jobs
  bool is_queue_paused = false;
  bool is_kind_paused = false;
  bool has_dispatcher = true;
  // All that list the lane's queue; nothing: nobody has told of pools.
  std::optional<std::vector<PoolForLane>> pools = std::nullopt;
  bool is_at_cap = false;  // some limit of its lane is reached
  std::optional<WallTime> next_start =
      std::nullopt;  // where a rate of its lane is used up: of the one that ends last
  std::optional<TenantBehind> behind =
      std::nullopt;             // what is known of the tenant's database; no gate by itself
  bool is_tenant_busy = false;  // which only the dispatcher knows
  // No gate: of the pools that perform it, which may be none that has told of slots.
  bool are_slots_taken = false;
  bool are_slots_kept = false;  // the same of those that are free: for better priorities
};

// All that keeps the lane's jobs from starting, what decides first: empty where nothing does. Another gate is added here.
[[nodiscard]] std::vector<JobReason> gates_of(const LaneFacts& lane);

// Its parts, for who asks about many lanes. JobReason::none: no gate.
[[nodiscard]] JobReason tenant_gate(TenantState tenant);
// Of a kind whose jobs only read the tenant's database, or not.
[[nodiscard]] JobReason tenant_gate(TenantState tenant, bool reads_only);
[[nodiscard]] JobReason pause_gate(bool is_queue_paused, bool is_kind_paused);
// `pools`: all that list the lane's queue.
[[nodiscard]] JobReason lane_gate(std::span<const PoolForLane> pools);

}  // namespace tenure::queue
