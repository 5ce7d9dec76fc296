#pragma once

#include <tenure/base/sqlite/migration.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace tenure::detail {

// How many migrations tenants' databases had had when this process looked, so that a handler that uses no database costs no
// look at one. To forget costs that look, and nothing else.
// Threads: every method from any thread.
class TenantSchemas {
 public:
  static constexpr std::size_t kMax = 100'000;  // then it begins anew

  // `migrations` must outlive it; where there are none nothing is asked.
  explicit TenantSchemas(std::span<const sqlite::Migration> migrations) : migrations_(migrations) {}

  // Before a handler begins of a kind with that range. In the tenant's scope; what require_schema_between and HandleCache::acquire say.
  void require(HandleCache& handles, const TenantName& tenant, Generation generation,
               const std::optional<SchemaRange>& range);
  // When it takes its handle: somebody may have migrated the tenant since.
  void require(const TenantHandle& handle, const std::optional<SchemaRange>& range);

 private:
  using Key = std::pair<TenantName, Generation>;
  [[nodiscard]] std::optional<std::int64_t> known(const Key& key) const;
  void remember(Key key, std::int64_t version);
  void require(const TenantName& tenant, std::int64_t version, const std::optional<SchemaRange>& range) const;

  const std::span<const sqlite::Migration> migrations_;
  mutable std::mutex mutex_;
  std::map<Key, std::int64_t> known_;
};

}  // namespace tenure::detail
