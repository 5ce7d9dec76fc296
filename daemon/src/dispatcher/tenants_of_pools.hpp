#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/pool.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

// Whose jobs each pool takes, by numbers: pools name tenants, and lanes know their numbers only. The store is asked for the name of each
// that is met while any pool names some; until it is known, those pools take nothing of it. Where none does nothing is kept.
namespace tenure::daemon {

class TenantsOfPools {
 public:
  explicit TenantsOfPools(const std::vector<PoolSettings>& pools);

  // Whether any pool names tenants.
  [[nodiscard]] bool is_any() const { return is_any_; }
  void set(std::size_t pool, queue::PoolTenants tenants);
  [[nodiscard]] const queue::PoolTenants& of(std::size_t pool) const { return pools_[pool].tenants; }

  // It has jobs, so its name is wanted.
  void met(TenantNumber tenant);
  // At most `limit`.
  [[nodiscard]] std::vector<TenantNumber> unnamed(std::size_t limit) const;
  void name(TenantNumber tenant, const std::string& name);
  // Its number never comes back.
  void forget(TenantNumber tenant);

  [[nodiscard]] bool takes(std::size_t pool, TenantNumber tenant) const;
  // Of one that was met: whether every pool treats it as most others, since none names it.
  [[nodiscard]] bool is_common(TenantNumber tenant) const;
  // Of one that was met, whether that can be said already.
  [[nodiscard]] bool is_known(TenantNumber tenant) const { return !unnamed_.contains(tenant); }

 private:
  struct Pool {
    queue::PoolTenants tenants;
    std::set<TenantNumber> named;  // those of its names that were met
  };
  std::vector<Pool> pools_;
  bool is_any_ = false;
  std::map<TenantNumber, std::string> names_;
  std::set<TenantNumber> unnamed_;

  TENURE_REMEMBERS(pools, is_any, names, unnamed)
};

}  // namespace tenure::daemon
