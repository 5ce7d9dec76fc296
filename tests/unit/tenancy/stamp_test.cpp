#include "shop.hpp"

#include <tenure/tenancy/stamp.hpp>

#include <gmock/gmock.h>

namespace tenure {
namespace {

using testing::code_of;
using testing::Shop;
using testing::TemporaryFolder;

Stamp acme_stamp() {
  return {.tenant = TenantName{"acme"},
          .generation = Generation{3},
          .application = "shop",
          .state = TenantState::active,
          .outbox_epoch = 7};
}

constexpr sqlite::Query kSpoilState{"spoil", "update tenure_stamp set state = 99"};
constexpr sqlite::Query kNewer{"newer", "update tenure_stamp set schema = schema + 1"};
constexpr sqlite::Query kForget{"forget", "delete from tenure_stamp"};

class StampTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  sqlite::Connection connection_{folder_ / "acme.db", {.access = sqlite::Access::create}};
};

TEST_F(StampTest, WhatWasWrittenIsRead) {
  EXPECT_EQ(read_stamp(connection_), std::nullopt);
  create_tenant_schema(connection_, acme_stamp());
  EXPECT_EQ(read_stamp(connection_), acme_stamp());
  Stamp changed = acme_stamp();
  changed.state = TenantState::read_only;
  changed.generation = Generation{4};
  changed.outbox_epoch = 8;
  {
    sqlite::WriteTransaction transaction{connection_};
    write_stamp(connection_, changed);
    transaction.commit();
  }
  EXPECT_EQ(current_stamp(connection_), changed);
}

TEST_F(StampTest, AStampThatIsNotOursIsNotRead) {
  create_tenant_schema(connection_, acme_stamp());
  connection_.execute(kSpoilState);
  EXPECT_EQ(code_of([&] { static_cast<void>(read_stamp(connection_)); }), ErrorCode::database_damaged);
  connection_.execute(kNewer);
  EXPECT_EQ(code_of([&] { static_cast<void>(read_stamp(connection_)); }), ErrorCode::schema_mismatch);
  connection_.execute(kForget);
  EXPECT_EQ(read_stamp(connection_), std::nullopt);
  EXPECT_EQ(code_of([&] { static_cast<void>(current_stamp(connection_)); }), ErrorCode::database_damaged);
}

TEST(StampCheck, NamesTheFirstDifference) {
  const StampExpectation expected{TenantName{"acme"}, Generation{3}, "shop"};
  const auto code = [&](auto change) {
    Stamp stamp = acme_stamp();
    change(stamp);
    const Result<void> checked = check_writable(stamp, expected);
    return checked ? std::nullopt : std::optional{checked.error().code};
  };
  EXPECT_EQ(code([](Stamp&) {}), std::nullopt);
  EXPECT_EQ(code([](Stamp& stamp) { stamp.tenant = TenantName{"globex"}; }), ErrorCode::wrong_tenant);
  EXPECT_EQ(code([](Stamp& stamp) { stamp.application = "other"; }), ErrorCode::wrong_tenant);
  EXPECT_EQ(code([](Stamp& stamp) { stamp.generation = Generation{2}; }), ErrorCode::stale_generation);
  EXPECT_EQ(code([](Stamp& stamp) { stamp.generation = Generation{4}; }), ErrorCode::stale_generation);
  EXPECT_EQ(code([](Stamp& stamp) { stamp.state = TenantState::deleted; }), ErrorCode::tenant_deleted);
  for (const TenantState state : {TenantState::provisioning, TenantState::paused, TenantState::read_only,
                                  TenantState::migrating, TenantState::failed, TenantState::draining})
    EXPECT_EQ(code([&](Stamp& stamp) { stamp.state = state; }), ErrorCode::tenant_not_ready)
        << name_of(state);
}

TEST(StampCheck, WhatIsNotKnownIsNotCompared) {
  EXPECT_TRUE(check_identity(acme_stamp(), {TenantName{"acme"}, Generation{}, ""}));
}

TEST(TenantState, EveryNameIsReadBack) {
  for (int number = 1; number <= 8; ++number) {
    const auto state = static_cast<TenantState>(number);
    EXPECT_EQ(tenant_state_named(name_of(state)), state);
  }
  EXPECT_EQ(tenant_state_named("Active"), std::nullopt);
}

TEST(Stamp, REG_13_AFileUnderAnotherTenantsNameIsWrongTenantAndStaysAsItIs) {
  Shop shop;
  shop.create("acme");
  shop.create("globex");
  shop.handles.close_idle();
  std::filesystem::remove(shop.path("globex"));
  std::filesystem::copy_file(shop.path("acme"), shop.path("globex"));
  const auto before = std::filesystem::last_write_time(shop.path("globex"));
  const Result<HandleLease> lease = shop.handles.acquire(TenantName{"globex"}, Generation{1});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, ErrorCode::wrong_tenant);
  EXPECT_EQ(std::filesystem::last_write_time(shop.path("globex")), before);
}

}  // namespace
}  // namespace tenure
