#pragma once

#include <tenure/queue/types.hpp>
#include <tenure/tenancy/global_id.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <optional>
#include <string_view>

namespace tenure::queue {

// The model of jobs in Global IDs.
inline constexpr std::string_view kJobModel = "tenure.job";

// gid://APPLICATION/tenure.job/UUID?tenant=NAME; of an untenanted job without a tenant. One text for handlers, operators and whoever they
// call. BadGlobalId, where the tenant's name keeps no rules.
[[nodiscard]] GlobalId global_id_of(std::string_view application, JobId id,
                                    const std::optional<TenantName>& tenant);

}  // namespace tenure::queue
