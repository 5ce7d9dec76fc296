#pragma once

#include <tenure/queue/audit.hpp>
#include <tenure/queue/new_job.hpp>
#include <tenure/queue/tenant_schema.hpp>

#include <optional>

// What the stores do alike with migrations of tenants. Internal.
namespace tenure::queue {

// The job that an order is for; its id is of the claim that has found the tenant behind.
[[nodiscard]] NewJob migration_job(const MigrationOrder& order, const TenantRecord& tenant, WallTime now);

// Whether a migration that failed makes a tenant of that state `failed`.
[[nodiscard]] bool may_fail_by_migration(TenantState state);
[[nodiscard]] AuditEntry audit_of_failed_migration(const TenantRecord& tenant);

// Whether the record says more than `before`: one that has done nothing does not, unless that one has an error.
[[nodiscard]] bool is_worth_keeping(const MigrationRecord& migration,
                                    const std::optional<MigrationRecord>& before);

}  // namespace tenure::queue
