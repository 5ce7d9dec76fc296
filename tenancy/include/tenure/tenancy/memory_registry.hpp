#pragma once

#include <tenure/tenancy/registry.hpp>

#include <map>
#include <mutex>

namespace tenure {

// The registry in memory, for tests: nothing of it survives the object.
class MemoryRegistry final : public TenantRegistry {
 public:
  [[nodiscard]] std::optional<TenantRecord> find(const TenantName& name) override;
  [[nodiscard]] Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override;
  [[nodiscard]] Result<void> activate(const TenantName& name, Generation generation) override;
  void abandon_create(const TenantName& name, Generation generation) override;
  [[nodiscard]] std::vector<TenantRecord> list(const std::optional<TenantName>& after,
                                               std::size_t limit) override;
  void sync() override {}

  // What lifecycle verbs will do; the tenant must exist.
  void set_state(const TenantName& name, TenantState state);

 private:
  std::mutex mutex_;
  std::map<TenantName, std::vector<TenantRecord>> tenants_;  // generations of a name, oldest first
  std::int64_t last_number_ = 0;
};

}  // namespace tenure
