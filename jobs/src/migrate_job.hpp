#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <chrono>
#include <string>
#include <string_view>

// Jobs of queue::kMigrateKind, by which tenants are migrated when they are touched.
namespace tenure::detail {

inline constexpr std::chrono::milliseconds kMigrateResultKept{std::chrono::hours{24}};

// Whether each of these steps that has code has it there.
[[nodiscard]] bool has_all_codes(const TenantMigrations& migrations);

// Brings the job's tenant to the newest of these; what it returns is the job's result. Nothing is done to a database that has
// had as many as are wanted. TenantUnavailable: more are wanted than this program knows. What migrate_tenant says.
[[nodiscard]] std::string perform_migration(const queue::AssignedJob& job, std::string_view arguments,
                                            HandleCache& handles, const TenantMigrations& migrations,
                                            const Clock& clock);

}  // namespace tenure::detail
