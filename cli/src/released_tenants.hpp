#pragma once

#include <tenure/queue/store.hpp>

#include <optional>
#include <string>
#include <vector>

// Tenants whose jobs were given back a moment ago, since their file is missing, locked or on a full disk: the dispatcher leaves each alone
// for a while, and their other jobs wait with nothing else in their way.
namespace tenure::cli {

// The dispatcher tries such a tenant more often than this.
inline constexpr std::chrono::minutes kReleasedWithin{1};

struct Release {
  WallTime at;
  std::string error;  // "TenantUnavailable: there is no file ...", printable
};

// Of the tenant's jobs that wait or run; as far as the oldest 1,000 of them tell.
[[nodiscard]] std::optional<Release> recent_release(queue::JobReader& reader, const TenantName& tenant,
                                                    WallTime now);

struct ReleasedTenant {
  TenantName tenant;
  Release release;
};

// In the order of names. Looks at every job that is ready or runs.
[[nodiscard]] std::vector<ReleasedTenant> released_tenants(queue::JobReader& reader, WallTime now);

}  // namespace tenure::cli
