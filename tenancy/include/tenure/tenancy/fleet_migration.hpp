#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_migration.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Migrating many tenants, one by one or several at a time.
namespace tenure {

inline constexpr int kMigrationThreadsMax = 64;

struct TenantToMigrate {
  TenantName name;
  Generation generation;
};

// What became of one of them; nobody's failure stops another one.
struct TenantResult {
  TenantName tenant;
  TenantMigrated done;
  std::optional<Failure> failure = std::nullopt;
  std::chrono::microseconds took{0};
};

// Says in the log, in the tenant's name, what was done or why not; nothing where there was nothing to do.
void log_migration(const TenantResult& result);

struct FleetOptions {
  std::int64_t to = 0;  // up to that step; 0: to the newest
  int threads = 1;      // so many tenants at a time, 1 to kMigrationThreadsMax
  // A folder in which a copy of each tenant's database is made and migrated, which then goes; the database is only read. Empty: for real.
  std::filesystem::path scratch = {};
};

// `on_result` is called for each tenant, in the order in which they end, by one thread at a time; what it throws ends the run behind those
// that are being migrated, and is thrown. Before anything is touched: what check_migrations says, and BadOptions.
void migrate_tenants(HandleCache& handles, const TenantMigrations& migrations, const Clock& clock,
                     std::span<const TenantToMigrate> tenants, const FleetOptions& options,
                     FunctionRef<void(const TenantResult&)> on_result);

// Where the waves of a fleet end: of "1%,10%,100%" and 2,004 tenants {21, 201, 2004}. A part of a tenant is a whole one. BadOptions: what
// is not some percentages above 0 that grow to 100%.
[[nodiscard]] std::vector<std::size_t> wave_ends(std::string_view waves, std::size_t tenants);

}  // namespace tenure
