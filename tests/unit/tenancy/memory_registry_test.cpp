#include "conformance/registry_suite.hpp"

#include <tenure/tenancy/memory_registry.hpp>

namespace tenure::testing {
namespace {

class MemoryWorld final : public RegistryWorld {
 public:
  TenantRegistry& registry() override { return registry_; }
  void set_state(const TenantName& name, TenantState state) override { registry_.set_state(name, state); }

 private:
  MemoryRegistry registry_;
};

constexpr RegistryFactory kFactory = []() -> std::unique_ptr<RegistryWorld> {
  return std::make_unique<MemoryWorld>();
};

INSTANTIATE_TEST_SUITE_P(Memory, RegistrySuite, ::testing::Values(kFactory));

}  // namespace
}  // namespace tenure::testing
