#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

namespace tenure::detail {

// Tenants::create.
TenantRecord create_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                           const TenantsOptions& tenants, const TenantName& name,
                           const CreateOptions& options);

}  // namespace tenure::detail
