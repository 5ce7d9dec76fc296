#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_name.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <filesystem>
#include <string>

namespace tenure {

// A tenant's database as Tenants::create makes it, of no tenant yet and in memory, so that the migrations are carried out once for many
// tenants. For tests: what it makes is not synced, and a crash may leave a half.
// Threads: const methods from any; two makers of one tenant must not meet.
class TenantTemplate {
 public:
  // Builds it in a file of `folder`, which is there and has no file `template.db`; nothing of it is left behind. What Tenants::create
  // says of a migration.
  TenantTemplate(const std::filesystem::path& folder, TenantsOptions options, WallTime now);

  // Makes the tenant: its registry row, its file with a stamp of its own, active when this returns. TenantExists: it is there, or a file
  // lies in its place; nothing was changed then.
  TenantRecord make(TenantRegistry& registry, const TenantFiles& files, const TenantName& name,
                    WallTime now) const;

 private:
  void put_file(const std::filesystem::path& path, const TenantName& name, Generation generation) const;

  std::string application_;
  std::string content_;
};

}  // namespace tenure
