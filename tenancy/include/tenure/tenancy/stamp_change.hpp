#pragma once

#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <chrono>

namespace tenure {

// What a tenant's file says of whether it may be written, changed under the file's own writers' lock: whoever wrote before has committed,
// and whoever comes later meets the new state, in whatever process.

inline constexpr std::chrono::seconds kStampWait{5};  // for the writers' lock

// active <-> read_only; what it is already, stays. On disk when it returns. WrongTenant, StaleGeneration and TenantDeleted where the file
// is not this tenant's as it is expected, TenantNotReady where it is in a third state, TenantBusy, TenantDoesNotExist where there is no
// file, DatabaseDamaged. Then nothing was changed.
void set_stamp_read_only(const TenantFiles& files, const StampExpectation& expected, bool is_read_only,
                         std::chrono::milliseconds wait_max = kStampWait);
// Raises what that would of the file as it is now; changes nothing.
void require_stamp_settable(const TenantFiles& files, const StampExpectation& expected,
                            std::chrono::milliseconds wait_max = kStampWait);

}  // namespace tenure
