#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_name.hpp>

namespace tenure::detail {

// Runs what looks for a tenant's file. A worker has no registry: a file that is missing, another tenant's, damaged or closed to this
// user says nothing of the job, so it is TenantUnavailable, which names the file and the error. What the stamp says of
// the tenant itself (deleted, a later generation, not ready) passes.
void with_tenants_file(const HandleCache& handles, const TenantName& tenant, FunctionRef<void()> work);

}  // namespace tenure::detail
