#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <filesystem>

namespace tenure::detail {

// Tenants::create.
TenantRecord create_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                           const TenantsOptions& tenants, const TenantName& name,
                           const CreateOptions& options);
// The same with a copy of `source`, a tenant's database, in place of an empty one: no migration is carried out.
TenantRecord create_tenant_from(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                const TenantsOptions& tenants, const TenantName& name,
                                const CreateOptions& options, const std::filesystem::path& source);

}  // namespace tenure::detail
