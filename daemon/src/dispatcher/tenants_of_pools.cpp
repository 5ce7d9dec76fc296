#include "tenants_of_pools.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

using queue::PoolTenants;

TenantsOfPools::TenantsOfPools(const std::vector<PoolSettings>& pools) : pools_(pools.size()) {
  for (std::size_t pool = 0; pool < pools.size(); ++pool) set(pool, pools[pool].tenants);
}

void TenantsOfPools::set(std::size_t pool, PoolTenants tenants) {
  Pool& changed = pools_[pool];
  changed.tenants = std::move(tenants);
  changed.named.clear();
  for (const auto& [tenant, name] : names_)
    if (std::ranges::binary_search(changed.tenants.names, name)) changed.named.insert(tenant);
  is_any_ = std::ranges::any_of(pools_,
                                [](const Pool& each) { return each.tenants.rule != PoolTenants::Rule::all; });
  if (is_any_) return;
  names_.clear();
  unnamed_.clear();
}

void TenantsOfPools::met(TenantNumber tenant) {
  if (!is_any_ || names_.contains(tenant)) return;
  if (tenant == queue::kUntenanted) name(tenant, std::string{queue::kUntenantedName});
  else unnamed_.insert(tenant);
}

std::vector<TenantNumber> TenantsOfPools::unnamed(std::size_t limit) const {
  std::vector<TenantNumber> tenants;
  for (const TenantNumber tenant : unnamed_) {
    if (tenants.size() == limit) break;
    tenants.push_back(tenant);
  }
  return tenants;
}

// By then a reload may want no names any more.
void TenantsOfPools::name(TenantNumber tenant, const std::string& name) {
  if (!is_any_) return;
  unnamed_.erase(tenant);
  names_[tenant] = name;
  for (Pool& pool : pools_)
    if (std::ranges::binary_search(pool.tenants.names, name)) pool.named.insert(tenant);
}

void TenantsOfPools::forget(TenantNumber tenant) {
  unnamed_.erase(tenant);
  names_.erase(tenant);
  for (Pool& pool : pools_) pool.named.erase(tenant);
}

bool TenantsOfPools::is_common(TenantNumber tenant) const {
  return !is_any_ || (is_known(tenant) && std::ranges::none_of(pools_, [&](const Pool& pool) {
                        return pool.named.contains(tenant);
                      }));
}

bool TenantsOfPools::takes(std::size_t pool, TenantNumber tenant) const {
  const Pool& asked = pools_[pool];
  if (asked.tenants.rule == PoolTenants::Rule::all) return true;
  if (!names_.contains(tenant)) return false;
  return asked.named.contains(tenant) == (asked.tenants.rule == PoolTenants::Rule::only);
}

}  // namespace tenure::daemon
