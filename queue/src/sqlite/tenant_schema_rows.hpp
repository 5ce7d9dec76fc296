#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/tenant_schema.hpp>

#include <optional>
#include <vector>

// The table tenant_behind. Internal.
namespace tenure::queue {

[[nodiscard]] std::optional<TenantBehind> behind_of(sqlite::Connection& connection, TenantNumber tenant);
// By number.
[[nodiscard]] std::vector<TenantBehind> read_behind(sqlite::Connection& connection);

// Of a tenant that was paused when a migration of it has failed: behind the failure it is in that state. False: that is none.
bool resume_behind_failure(sqlite::Connection& connection, TenantNumber tenant, TenantState state);

[[nodiscard]] std::vector<const sqlite::Query*> tenant_schema_queries();

}  // namespace tenure::queue
