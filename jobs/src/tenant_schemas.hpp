#pragma once

#include <tenure/base/sqlite/migration.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <cstddef>
#include <mutex>
#include <set>
#include <span>
#include <utility>

namespace tenure::detail {

// At which tenants' databases this process has found the tables that its program knows, so that a handler that uses no database costs no
// look at one. To forget costs that look, and nothing else.
// Threads: every method from any thread.
class TenantSchemas {
 public:
  static constexpr std::size_t kMax = 100'000;  // then it begins anew

  // `migrations` must outlive it; where there are none nothing is asked.
  explicit TenantSchemas(std::span<const sqlite::Migration> migrations) : migrations_(migrations) {}

  // Before a handler begins. In the tenant's scope; what require_tenant_schema and HandleCache::acquire say.
  void require(HandleCache& handles, const TenantName& tenant, Generation generation);
  // When it takes its handle: somebody may have migrated the tenant since.
  void require(const TenantHandle& handle);

 private:
  using Key = std::pair<TenantName, Generation>;
  [[nodiscard]] bool has(const Key& key) const;
  void remember(Key key);

  const std::span<const sqlite::Migration> migrations_;
  mutable std::mutex mutex_;
  std::set<Key> known_;
};

}  // namespace tenure::detail
