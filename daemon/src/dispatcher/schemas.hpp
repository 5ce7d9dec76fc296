#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/tenant_schema.hpp>

#include <optional>

// How far the store has been read for tenants whose databases are behind. What that means for lanes is theirs.
namespace tenure::daemon {

class Schemas {
 public:
  [[nodiscard]] queue::SchemasMark mark() const { return mark_; }
  void read(const queue::KnownSchemas& known) {
    mark_ = known.mark;
    oldest_.reset();
    for (const queue::TenantBehind& tenant : known.tenants)
      if (!oldest_ || tenant.since < *oldest_) oldest_ = tenant.since;
  }
  // By this dispatcher, which has not read it back.
  void noted(WallTime now) {
    if (!oldest_ || now < *oldest_) oldest_ = now;
  }
  // Whether some of it is too old to be trusted.
  [[nodiscard]] bool has_old(WallTime now) const {
    return oldest_ && *oldest_ <= now - queue::kBehindTrusted;
  }

 private:
  queue::SchemasMark mark_{0};
  std::optional<WallTime> oldest_;

  TENURE_REMEMBERS(schemas_known, oldest)
};

}  // namespace tenure::daemon
