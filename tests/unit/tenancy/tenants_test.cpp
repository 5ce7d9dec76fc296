#include "shop.hpp"

#include <gmock/gmock.h>

namespace tenure {
namespace {

using testing::code_of;
using testing::Shop;

std::optional<ErrorCode> open_code(Shop& shop, std::string_view name) {
  return code_of([&] { static_cast<void>(shop.open(name)); });
}

TEST(Tenants, REG_01_OpeningAnUnknownNameChangesNothing) {
  Shop shop;
  EXPECT_EQ(open_code(shop, "nobody"), ErrorCode::tenant_does_not_exist);
  EXPECT_TRUE(std::filesystem::is_empty(shop.folder.path()));
  EXPECT_FALSE(shop.registry.find(TenantName{"nobody"}));
}

TEST(Tenants, EachStateSaysWhetherTheDataIsOpen) {
  Shop shop;
  shop.create("acme");
  const TenantName acme{"acme"};
  const std::vector<std::pair<TenantState, std::optional<ErrorCode>>> expected{
      {TenantState::provisioning, ErrorCode::tenant_not_ready},
      {TenantState::active, std::nullopt},
      {TenantState::paused, std::nullopt},
      {TenantState::read_only, std::nullopt},
      {TenantState::migrating, ErrorCode::tenant_not_ready},
      {TenantState::failed, ErrorCode::tenant_not_ready},
      {TenantState::draining, std::nullopt},
      {TenantState::deleted, ErrorCode::tenant_deleted},
  };
  for (const auto& [state, code] : expected) {
    queue::set_tenant_state_for_test(*shop.store, acme, state);
    EXPECT_EQ(open_code(shop, "acme"), code) << name_of(state);
  }
}

TEST(Tenants, TheCurrentOneIsOpened) {
  Shop shop;
  shop.create("acme");
  EXPECT_EQ(code_of([&] { static_cast<void>(shop.tenants.open_current()); }), ErrorCode::no_tenant);
  with_tenant("acme", [&] { EXPECT_EQ(shop.tenants.open_current()->tenant(), TenantName{"acme"}); });
}

TEST(Tenants, REG_24_AFileOfAnotherGenerationThanTheRegistrysIsStale) {
  Shop shop;
  shop.create("acme");
  shop.restamp("acme", TenantState::active, 2);
  EXPECT_EQ(open_code(shop, "acme"), ErrorCode::stale_generation);
}

TEST(Tenants, ABadApplicationNameIsRefused) {
  Shop shop;
  for (const std::string name : {"", "Shop", "my shop", "-x", "a.b"})
    EXPECT_EQ(code_of([&] { Tenants(shop.registry, shop.handles, shop.clock, {.application = name}); }),
              ErrorCode::bad_configuration)
        << name;
}

}  // namespace
}  // namespace tenure
