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

[[nodiscard]] std::vector<const sqlite::Query*> tenant_schema_queries();

}  // namespace tenure::queue
