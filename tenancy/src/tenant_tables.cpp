#include "tenant_tables.hpp"

#include "own_schema.hpp"

#include <tenure/base/sqlite/migrations.hpp>

#include <fmt/format.h>

#include <optional>

namespace tenure::detail {
namespace {

// A trigger on one of them would make each open of the file an error.
void refuse_changed_tables(sqlite::Connection& connection, const Stamp& stamp) {
  const std::optional<std::string> difference = difference_in_own_schema(connection);
  if (!difference && read_stamp(connection) == stamp) return;
  raise(
      ErrorCode::schema_mismatch,
      fmt::format("a migration changed Tenure's own tables: {}", difference.value_or("what is in the stamp")),
      stamp.tenant.text());
}

}  // namespace

Stamp first_stamp(const TenantName& name, Generation generation, const std::string& application) {
  return {.tenant = name,
          .generation = generation,
          .application = application,
          .state = TenantState::active,
          .outbox_epoch = 1};
}

void make_tables(sqlite::Connection& connection, const Stamp& stamp, const TenantsOptions& options,
                 WallTime now, FunctionRef<void()> before_migrations) {
  create_tenant_schema(connection, stamp);
  before_migrations();
  sqlite::migrate(connection, options.migrations, to_us(now));
  refuse_changed_tables(connection, stamp);
}

}  // namespace tenure::detail
