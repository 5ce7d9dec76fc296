#pragma once

#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/pool.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <span>
#include <string_view>

// Internal.
namespace tenure::queue {

// Whether one of them performs the lane's jobs, and says that they only read.
[[nodiscard]] bool is_read_by(std::span<const PoolForLane> pools);
// The same of what a dispatcher has told, by names: of a kind that no job may have had yet, and of a pool whose processes are gone for now.
[[nodiscard]] bool is_read_in(std::span<const PoolRecord> pools, const TenantName& tenant,
                              std::string_view queue, std::string_view kind);

}  // namespace tenure::queue
