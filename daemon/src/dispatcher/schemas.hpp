#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/tenant_schema.hpp>

#include <algorithm>
#include <map>
#include <optional>

// How far the store has been read for tenants whose databases are behind, and since when each of them is known to be. What that means for
// lanes is theirs.
namespace tenure::daemon {

class Schemas {
 public:
  [[nodiscard]] queue::SchemasMark mark() const { return mark_; }
  void read(const queue::KnownSchemas& known) {
    mark_ = known.mark;
    if (known.is_all) since_.clear();
    for (const TenantNumber tenant : known.level) since_.erase(tenant);
    for (const queue::TenantBehind& tenant : known.tenants) is_since(tenant.tenant, tenant.since);
  }
  // By this dispatcher, which has not read it back.
  void noted(TenantNumber tenant, WallTime now) { is_since(tenant, now); }
  // Whether some of it is too old to be trusted.
  [[nodiscard]] bool has_old(WallTime now) {
    const WallTime trusted = now - queue::kBehindTrusted;
    if (!oldest_ || *oldest_ > trusted) return false;
    oldest_.reset();
    for (const auto& [tenant, since] : since_) oldest_ = std::min(oldest_.value_or(since), since);
    return oldest_ && *oldest_ <= trusted;
  }

 private:
  void is_since(TenantNumber tenant, WallTime since) {
    since_[tenant] = since;
    oldest_ = std::min(oldest_.value_or(since), since);
  }

  queue::SchemasMark mark_{0};
  std::map<TenantNumber, WallTime> since_;
  std::optional<WallTime> oldest_;  // or before it

  TENURE_REMEMBERS(schemas_known, since, oldest)
};

}  // namespace tenure::daemon
