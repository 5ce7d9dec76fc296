#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/registry.hpp>

#include <optional>
#include <vector>

// Rows of the registry's table, as the store and the registry read them. Internal.
namespace tenure::queue {

// The newest generation of that name, also when it is deleted.
[[nodiscard]] std::optional<TenantRecord> newest_tenant(sqlite::Connection& connection,
                                                        const TenantName& name);
// Not for number 0, which has no name.
[[nodiscard]] std::optional<TenantRecord> tenant_numbered(sqlite::Connection& connection,
                                                          TenantNumber number);
[[nodiscard]] std::vector<TenantRecord> live_tenants(sqlite::Connection& connection,
                                                     const std::optional<TenantName>& after,
                                                     std::size_t limit);
[[nodiscard]] std::vector<const sqlite::Query*> tenant_row_queries();

}  // namespace tenure::queue
