#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <filesystem>
#include <string>

namespace tenure::detail {

// Tenants::create.
TenantRecord create_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                           const TenantsOptions& tenants, const TenantName& name,
                           const CreateOptions& options);
// A tenant's database, of which a copy is made.
struct CreationSource {
  std::filesystem::path path;
  std::string origin;  // where it is from, in the lock's text: without blanks
  bool keeps_receipts = true;
  std::filesystem::path folder =
      {};  // of a deleted tenant in the graveyard, which becomes the new one's; empty: none
};
// The same with a copy of `source`, a tenant's database, in place of an empty one: no migration is carried out.
TenantRecord create_tenant_from(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                const TenantsOptions& tenants, const TenantName& name,
                                const CreateOptions& options, const CreationSource& source);

}  // namespace tenure::detail
