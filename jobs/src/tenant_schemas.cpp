#include "tenant_schemas.hpp"

#include <tenure/tenancy/tenant_migration.hpp>

namespace tenure::detail {
namespace {

bool is_within(std::int64_t version, const std::optional<SchemaRange>& range, std::int64_t newest) {
  if (!range) return version == newest;
  return version >= range->min && version <= (range->max == 0 ? newest : range->max);
}

}  // namespace

// What is too old may have been brought on since, so it is looked at anew.
void TenantSchemas::require(HandleCache& handles, const TenantName& tenant, Generation generation,
                            const std::optional<SchemaRange>& range) {
  if (migrations_.empty()) return;
  const auto version = known({tenant, generation});
  if (version && is_within(*version, range, std::ssize(migrations_))) return;
  const HandleLease lease = value_or_raise(handles.acquire(tenant, generation));
  require(lease.handle(), range);
}

void TenantSchemas::require(const TenantHandle& handle, const std::optional<SchemaRange>& range) {
  if (migrations_.empty()) return;
  const std::int64_t version = tenant_schema_version(handle.begin_read());
  remember({handle.tenant(), handle.generation()}, version);
  require(handle.tenant(), version, range);
}

void TenantSchemas::require(const TenantName& tenant, std::int64_t version,
                            const std::optional<SchemaRange>& range) const {
  const std::int64_t newest = std::ssize(migrations_);
  const std::int64_t max = range && range->max != 0 ? range->max : newest;
  require_schema_between(tenant, version, range ? range->min : newest, max, migrations_);
}

std::optional<std::int64_t> TenantSchemas::known(const Key& key) const {
  const std::lock_guard lock{mutex_};
  const auto found = known_.find(key);
  return found == known_.end() ? std::nullopt : std::optional{found->second};
}

void TenantSchemas::remember(Key key, std::int64_t version) {
  const std::lock_guard lock{mutex_};
  if (known_.size() >= kMax) known_.clear();
  known_.insert_or_assign(std::move(key), version);
}

}  // namespace tenure::detail
