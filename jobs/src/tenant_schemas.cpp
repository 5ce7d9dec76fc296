#include "tenant_schemas.hpp"

#include <tenure/tenancy/tenant_migration.hpp>

namespace tenure::detail {

void TenantSchemas::require(HandleCache& handles, const TenantName& tenant, Generation generation) {
  if (migrations_.empty() || has({tenant, generation})) return;
  const HandleLease lease = value_or_raise(handles.acquire(tenant, generation));
  require(lease.handle());
}

void TenantSchemas::require(const TenantHandle& handle) {
  if (migrations_.empty()) return;
  const Key key{handle.tenant(), handle.generation()};
  try {
    require_tenant_schema(handle.begin_read(), migrations_);
  } catch (...) {
    const std::lock_guard lock{mutex_};
    known_.erase(key);
    throw;
  }
  remember(key);
}

bool TenantSchemas::has(const Key& key) const {
  const std::lock_guard lock{mutex_};
  return known_.contains(key);
}

void TenantSchemas::remember(Key key) {
  const std::lock_guard lock{mutex_};
  if (known_.size() >= kMax) known_.clear();
  known_.insert(std::move(key));
}

}  // namespace tenure::detail
