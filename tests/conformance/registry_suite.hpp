#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/tenancy/registry.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

// What every TenantRegistry does. A suite of one registry is made by
//   struct MyWorld : tenure::testing::RegistryWorld { ... };
//   INSTANTIATE_TEST_SUITE_P(My, RegistrySuite, ::testing::Values([] { return std::make_unique<MyWorld>();
// }));
namespace tenure::testing {

// A registry and what only lifecycle verbs can do to it.
class RegistryWorld {
 public:
  virtual ~RegistryWorld() = default;
  virtual TenantRegistry& registry() = 0;
  virtual void set_state(const TenantName& name, TenantState state) = 0;
};
using RegistryFactory = std::unique_ptr<RegistryWorld> (*)();

class RegistrySuite : public ::testing::TestWithParam<RegistryFactory> {
 protected:
  TenantRegistry& registry() { return world_->registry(); }
  TenantRecord create(std::string_view name) {
    const TenantName tenant{name};
    TenantRecord record = value_or_raise(registry().begin_create(tenant, now_));
    value_or_raise(registry().activate(tenant, record.generation));
    return record;
  }
  std::vector<std::string> names(std::optional<TenantName> after = std::nullopt, std::size_t limit = 100) {
    std::vector<std::string> found;
    for (const TenantRecord& record : registry().list(after, limit)) found.push_back(record.name.text());
    return found;
  }
  template <class T>
  static std::optional<ErrorCode> code_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional{result.error().code};
  }

  const WallTime now_ = from_us(1'700'000'000'000'000);
  std::unique_ptr<RegistryWorld> world_ = GetParam()();
};

TEST_P(RegistrySuite, REG_01_AnUnknownNameHasNoRecord) {
  EXPECT_FALSE(registry().find(TenantName{"acme"}));
  EXPECT_TRUE(names().empty());
}

TEST_P(RegistrySuite, ANewTenantIsProvisioningUntilItIsActivated) {
  const TenantName acme{"acme"};
  const Result<TenantRecord> begun = registry().begin_create(acme, now_);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->name, acme);
  EXPECT_EQ(begun->generation, Generation{1});
  EXPECT_EQ(begun->state, TenantState::provisioning);
  EXPECT_EQ(begun->created, now_);
  EXPECT_GT(begun->number.value, 0);
  EXPECT_EQ(registry().find(acme)->state, TenantState::provisioning);
  ASSERT_TRUE(registry().activate(acme, Generation{1}));
  const std::optional<TenantRecord> found = registry().find(acme);
  EXPECT_EQ(found->state, TenantState::active);
  EXPECT_EQ(found->number, begun->number);
}

TEST_P(RegistrySuite, REG_02_WhatADeadCreatorBeganIsGoneOnWith) {
  const TenantName acme{"acme"};
  const TenantRecord first = value_or_raise(registry().begin_create(acme, now_));
  const TenantRecord second = value_or_raise(registry().begin_create(acme, now_));
  EXPECT_EQ(second.number, first.number);
  EXPECT_EQ(second.generation, first.generation);
}

TEST_P(RegistrySuite, REG_03_ALiveTenantExists) {
  const TenantName acme{"acme"};
  create("acme");
  for (const TenantState state : {TenantState::active, TenantState::paused, TenantState::read_only,
                                  TenantState::migrating, TenantState::failed, TenantState::draining}) {
    world_->set_state(acme, state);
    EXPECT_EQ(code_of(registry().begin_create(acme, now_)), ErrorCode::tenant_exists) << name_of(state);
    EXPECT_EQ(registry().find(acme)->state, state);
  }
}

TEST_P(RegistrySuite, REG_07_ADeletedTenantIsCreatedAgainInANewGeneration) {
  const TenantName acme{"acme"};
  const TenantRecord first = create("acme");
  world_->set_state(acme, TenantState::deleted);
  EXPECT_EQ(registry().find(acme)->state, TenantState::deleted);
  EXPECT_TRUE(names().empty());
  const TenantRecord second = create("acme");
  EXPECT_EQ(second.generation, Generation{2});
  EXPECT_NE(second.number, first.number);
  EXPECT_EQ(names(), std::vector<std::string>{"acme"});
}

TEST_P(RegistrySuite, ActivatingAnotherGenerationIsStale) {
  const TenantName acme{"acme"};
  EXPECT_EQ(code_of(registry().activate(acme, Generation{1})), ErrorCode::stale_generation);
  value_or_raise(registry().begin_create(acme, now_));
  EXPECT_EQ(code_of(registry().activate(acme, Generation{2})), ErrorCode::stale_generation);
  EXPECT_EQ(registry().find(acme)->state, TenantState::provisioning);
}

TEST_P(RegistrySuite, REG_05_AnAbandonedCreationFreesTheName) {
  const TenantName acme{"acme"};
  registry().abandon_create(acme, Generation{1});
  const TenantRecord record = value_or_raise(registry().begin_create(acme, now_));
  registry().abandon_create(acme, Generation{record.generation.value + 1});
  EXPECT_TRUE(registry().find(acme)) << "another generation's";
  registry().abandon_create(acme, record.generation);
  EXPECT_FALSE(registry().find(acme));
  create("acme");
  registry().abandon_create(acme, Generation{1});
  EXPECT_EQ(registry().find(acme)->state, TenantState::active) << "too late";
}

TEST_P(RegistrySuite, REG_05_AbandoningASecondGenerationKeepsTheTombstone) {
  const TenantName acme{"acme"};
  create("acme");
  world_->set_state(acme, TenantState::deleted);
  const TenantRecord second = value_or_raise(registry().begin_create(acme, now_));
  registry().abandon_create(acme, second.generation);
  EXPECT_EQ(registry().find(acme)->state, TenantState::deleted);
  EXPECT_EQ(registry().find(acme)->generation, Generation{1});
}

TEST_P(RegistrySuite, LiveTenantsAreListedByNameAndInPages) {
  for (const std::string_view name : {"m", "a-b", "z", "a", "a_b", "0"}) create(name);
  value_or_raise(registry().begin_create(TenantName{"q"}, now_));
  create("gone");
  world_->set_state(TenantName{"gone"}, TenantState::deleted);
  const std::vector<std::string> all{"0", "a", "a-b", "a_b", "m", "q", "z"};
  EXPECT_EQ(names(), all);
  EXPECT_EQ(names(std::nullopt, 2), (std::vector<std::string>{"0", "a"}));
  EXPECT_EQ(names(TenantName{"a"}, 2), (std::vector<std::string>{"a-b", "a_b"}));
  EXPECT_EQ(names(TenantName{"b"}, 1), (std::vector<std::string>{"m"}))
      << "the name after which need not exist";
  EXPECT_TRUE(names(TenantName{"z"}).empty());
  EXPECT_TRUE(names(std::nullopt, 0).empty());
}

}  // namespace tenure::testing
