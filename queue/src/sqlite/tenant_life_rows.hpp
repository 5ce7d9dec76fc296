#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/pause.hpp>
#include <tenure/queue/tenant_life.hpp>

#include <cstddef>
#include <optional>
#include <vector>

// The tables tenant_pause, tenant_hint, tenant_deletion and tenant_restore. Internal.
namespace tenure::queue {

// Of one tenant; its name is the caller's.
[[nodiscard]] std::optional<PauseRecord> read_tenant_pause(sqlite::Connection& connection,
                                                           const TenantRecord& tenant);
[[nodiscard]] Result<bool> pause_tenant(sqlite::Connection& connection, const NewPause& pause, WallTime now);
// False where it is not paused.
[[nodiscard]] bool resume_tenant(sqlite::Connection& connection, const TenantRecord& tenant);
void resume_expired_tenants(sqlite::Connection& connection, WallTime now);
// Of a generation that is provisioning: whether it is made of a copy that is put back.
[[nodiscard]] bool is_next_of_restore(sqlite::Connection& connection, TenantNumber tenant);
// Whether a copy is being put in the place of its newest generation, or that was interrupted.
[[nodiscard]] bool has_open_restore(sqlite::Connection& connection, const TenantName& tenant);
// Whether somebody deletes that generation, or has: an operator, or a restore that has put it away.
[[nodiscard]] bool has_deletion(sqlite::Connection& connection, TenantNumber tenant);
// When the first pause ends by itself.
[[nodiscard]] std::optional<WallTime> tenants_paused_until(sqlite::Connection& connection);

[[nodiscard]] std::vector<const sqlite::Query*> tenant_life_queries();
[[nodiscard]] std::vector<const sqlite::Query*> tenant_restore_queries();

}  // namespace tenure::queue
