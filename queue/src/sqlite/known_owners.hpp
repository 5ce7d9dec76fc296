#pragma once

#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

// Internal.
namespace tenure::queue {

// A live tenant that accepts jobs.
struct Owner {
  TenantNumber number{0};
  Generation generation{0};
};
using Owners = std::unordered_map<TenantName, Owner>;

// What earlier transactions of this process have read of the registry. Every change of a tenant, by whomever, raises the mark `tenants` in
// the same commit; what was read at one value of it is true as long as a transaction finds that value.
// Threads: every method from any thread.
class KnownOwners {
 public:
  [[nodiscard]] std::optional<Owner> find(std::int64_t mark, const TenantName& name) const;
  // Once the transaction that has read them is committed.
  void remember(std::int64_t mark, const Owners& owners);

 private:
  mutable std::shared_mutex mutex_;
  std::int64_t mark_ = -1;
  Owners owners_;
};

}  // namespace tenure::queue
