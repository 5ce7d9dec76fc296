#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/schema_fingerprint.hpp>

namespace tenure::detail {

// The application's tables, indexes, views and triggers of a database. Internal.
[[nodiscard]] TenantSchema schema_in(sqlite::Connection& connection);

}  // namespace tenure::detail
