#include "registry_suite.hpp"
#include "store_suite.hpp"

// The registries of the stores, by the suite of all registries.
namespace tenure::testing {
namespace {

class RegistryOfStore final : public RegistryWorld {
 public:
  explicit RegistryOfStore(std::unique_ptr<StoreWorld> world) : world_(std::move(world)) {}
  TenantRegistry& registry() override { return world_->store().registry(); }
  void set_state(const TenantName& name, TenantState state) override {
    world_->set_tenant_state(name, state);
  }

 private:
  std::unique_ptr<StoreWorld> world_;
};

std::unique_ptr<RegistryWorld> memory_registry() {
  return std::make_unique<RegistryOfStore>(make_memory_world());
}
std::unique_ptr<RegistryWorld> sqlite_registry() {
  return std::make_unique<RegistryOfStore>(make_sqlite_world());
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(MemoryStore, RegistrySuite, ::testing::Values(&memory_registry));
INSTANTIATE_TEST_SUITE_P(SqliteStore, RegistrySuite, ::testing::Values(&sqlite_registry));

}  // namespace tenure::testing
