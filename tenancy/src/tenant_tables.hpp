#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <string>

// What a new tenant's database begins with.
namespace tenure::detail {

// As it is when the tenant is made.
[[nodiscard]] Stamp first_stamp(const TenantName& name, Generation generation,
                                const std::string& application);

// Our tables with that stamp, and behind `before_migrations` the application's. In an empty database; nothing is synced. What a step says,
// and SchemaMismatch where one has changed our tables.
void make_tables(sqlite::Connection& connection, const Stamp& stamp, const TenantsOptions& options,
                 WallTime now, FunctionRef<void()> before_migrations);

}  // namespace tenure::detail
