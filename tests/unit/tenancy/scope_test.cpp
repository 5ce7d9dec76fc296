#include "shop.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <stdexcept>
#include <thread>

namespace tenure {
namespace {

using testing::code_of;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::kAcme;
using testing::Shop;

const TenantName kGlobex{"globex"};

TEST(Scope, CTX_01_NoTenantIsCurrentByDefault) {
  EXPECT_EQ(current_tenant(), std::nullopt);
  EXPECT_EQ(scope_depth(), 0U);
  std::optional<TenantName> elsewhere = kAcme;
  std::thread{[&] { elsewhere = current_tenant(); }}.join();
  EXPECT_EQ(elsewhere, std::nullopt);
}

TEST(Scope, CTX_02_AnotherTenantInsideIsProhibitedAndItsBodyDoesNotRun) {
  bool ran = false;
  const auto failure = failure_of([&] {
    return with_tenant(kAcme, [&] {
      with_tenant(kGlobex, [&] { ran = true; });
      return 0;
    });
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::tenant_swap_prohibited);
  EXPECT_THAT(failure->message, HasSubstr("globex"));
  EXPECT_THAT(failure->message, HasSubstr("acme"));
  EXPECT_FALSE(ran);
  EXPECT_EQ(current_tenant(), std::nullopt);
}

TEST(Scope, CTX_02_WithPermissionItRunsAndTheFormerTenantIsBack) {
  with_tenant(kAcme, [&] {
    with_tenant("globex", AllowSwap{}, [] { EXPECT_EQ(current_tenant(), kGlobex); });
    EXPECT_EQ(current_tenant(), kAcme);
  });
}

TEST(Scope, CTX_04_ValueIsPassedThroughAndScopeReturnsOnException) {
  int value = 7;
  int& passed = with_tenant("acme", [&]() -> int& { return value; });
  EXPECT_EQ(&passed, &value);
  with_tenant("acme", [&] {
    EXPECT_THROW(without_tenant([] { throw std::runtime_error{"x"}; }), std::runtime_error);
    EXPECT_EQ(current_tenant(), kAcme);
    EXPECT_THROW(with_tenant("globex", AllowSwap{}, [] { throw 1; }), int);
    EXPECT_EQ(current_tenant(), kAcme);
  });
  EXPECT_EQ(scope_depth(), 0U);
}

TEST(Scope, CTX_05_SameTenantNestsToAnyDepth) {
  const auto nest = [](auto& self, int depth) -> void {
    if (depth == 0) return;
    with_tenant(kAcme, [&] { self(self, depth - 1); });
    EXPECT_EQ(current_tenant().has_value(), scope_depth() > 0);
  };
  with_tenant(kAcme, [&] {
    nest(nest, 1000);
    EXPECT_EQ(current_tenant(), kAcme);
    EXPECT_EQ(scope_depth(), 1U);
  });
}

TEST(Scope, CTX_10_ANewThreadDoesNotInheritTheTenant) {
  with_tenant(kAcme, [] {
    std::optional<TenantName> elsewhere = kAcme;
    std::thread{[&] { elsewhere = current_tenant(); }}.join();
    EXPECT_EQ(elsewhere, std::nullopt);
  });
}

TEST(Scope, CTX_11_OutsideEveryTenantThereIsNone) {
  with_tenant(kAcme, [] {
    without_tenant([] {
      EXPECT_EQ(current_tenant(), std::nullopt);
      EXPECT_EQ(code_of([] { require_current(kAcme, {}, "it"); }), ErrorCode::no_tenant);
      with_tenant(kGlobex, [] { EXPECT_EQ(current_tenant(), kGlobex); });
    });
    EXPECT_EQ(current_tenant(), kAcme);
  });
}

TEST(Scope, NAME_05_AnEmptyNameIsNotNone) {
  EXPECT_EQ(code_of([] { with_tenant("", [] {}); }), ErrorCode::bad_tenant_name);
}

TEST(Scope, GenerationIsInheritedAndMayNotDiffer) {
  const TenantScope outer{kAcme, Generation{3}};
  {
    const TenantScope inner{kAcme};
    EXPECT_EQ(current_generation(), Generation{3});
  }
  EXPECT_EQ(code_of([] { TenantScope{kAcme, Generation{2}}; }), ErrorCode::stale_generation);
  EXPECT_EQ(code_of([] { require_current(kAcme, Generation{2}, "it"); }), ErrorCode::stale_generation);
  EXPECT_EQ(code_of([] { require_current(kAcme, Generation{3}, "it"); }), std::nullopt);
  EXPECT_EQ(code_of([] { require_current(kGlobex, Generation{3}, "it"); }), ErrorCode::wrong_tenant);
}

TEST(Scope, CTX_03_AnEscapedScopeIsCountedAndDoesNotReachTheNextJob) {
  auto escaped = std::make_unique<TenantScope>(kAcme);
  {
    const TenantScope other{kAcme};
    EXPECT_EQ(scope_depth(), 2U);
  }
  EXPECT_EQ(leave_all_scopes(), 1U);
  EXPECT_EQ(current_tenant(), std::nullopt);
  with_tenant(kGlobex, [&] {
    escaped.reset();
    EXPECT_EQ(current_tenant(), kGlobex);
  });
}

TEST(Scope, AScopeThatEndsOutOfOrderOrOnAnotherThreadIsLeft) {
  auto outer = std::make_unique<TenantScope>(kAcme);
  auto inner = std::make_unique<TenantScope>(kAcme);
  outer.reset();
  EXPECT_EQ(scope_depth(), 1U);
  std::thread{[&] { inner.reset(); }}.join();
  EXPECT_EQ(current_tenant(), std::nullopt);
  EXPECT_EQ(scope_depth(), 0U);
}

TEST(Scope, CTX_12_AScopeOfAnUnknownTenantCreatesNothing) {
  Shop shop;
  with_tenant("nobody", [&] {
    EXPECT_EQ(code_of([&] { static_cast<void>(shop.tenants.open_current()); }),
              ErrorCode::tenant_does_not_exist);
  });
  EXPECT_TRUE(testing::files_under(shop.folder.path()).empty());
}

TEST(Scope, CTX_12_ATenantDeletedWhileOpenIsDeleted) {
  Shop shop;
  HandleLease lease = shop.create("acme");
  shop.restamp("acme", TenantState::deleted);
  with_tenant("acme", [&] {
    EXPECT_EQ(code_of([&] { lease->write([](TenantTransaction&) {}); }), ErrorCode::tenant_deleted);
  });
  queue::set_tenant_state_for_test(*shop.store, kAcme, TenantState::deleted);
  EXPECT_EQ(code_of([&] { static_cast<void>(shop.open("acme")); }), ErrorCode::tenant_deleted);
}

TEST(Scope, SetAsideItIsBackAfterwards) {
  with_tenant("acme", [] {
    {
      const ScopesAside aside;
      EXPECT_EQ(scope_depth(), 0U);
      EXPECT_EQ(with_tenant("bolt", [] { return current_tenant(); }), TenantName{"bolt"});
    }
    EXPECT_EQ(current_tenant(), TenantName{"acme"});
    EXPECT_EQ(scope_depth(), 1U);
  });
}

TEST(Scope, OneThatWasLeftOpenBesideThoseSetAsideIsLeft) {
  with_tenant("acme", [] {
    std::optional<TenantScope> forgotten;
    {
      const ScopesAside aside;
      forgotten.emplace(TenantName{"bolt"});
    }
    EXPECT_EQ(current_tenant(), TenantName{"acme"});
    EXPECT_EQ(scope_depth(), 1U);
  });
}

}  // namespace
}  // namespace tenure
