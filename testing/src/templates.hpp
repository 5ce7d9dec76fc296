#pragma once

#include <tenure/tenancy/tenant_template.hpp>

#include <filesystem>
#include <memory>

namespace tenure::testing::detail {

// The migrated database for these options: built at the first call of the process that wants it, in a file of `folder` which goes again.
// The last 16 kinds of them are kept. What TenantTemplate says. Threads: any.
[[nodiscard]] std::shared_ptr<const TenantTemplate> template_for(const TenantsOptions& options,
                                                                 const std::filesystem::path& folder,
                                                                 WallTime now);

}  // namespace tenure::testing::detail
