#include "shop.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_template.hpp>

#include <gmock/gmock.h>

namespace tenure {
namespace {

using testing::code_of;
using testing::Shop;

const TenantName kBolt{"bolt"};

TenantTemplate template_of(const Shop& shop) {
  return {shop.folder.path(),
          {.application = "shop",
           .migrations = {{1, "0001_invoice.sql", "create table invoice(id integer primary key, total)"}}},
          shop.clock.wall()};
}

Stamp stamp_in(const Shop& shop, const TenantName& tenant) {
  sqlite::Connection connection{shop.handles.files().path_for(tenant), {}};
  return read_stamp(connection).value();
}

TEST(TenantTemplate, ACopyIsWhatCreateMakes) {
  Shop shop;
  shop.create("acme");
  const TenantRecord made =
      template_of(shop).make(shop.registry, shop.handles.files(), kBolt, shop.clock.wall());
  EXPECT_EQ(made.name, kBolt);
  EXPECT_EQ(made.state, TenantState::active);
  Stamp expected = stamp_in(shop, TenantName{"acme"});
  expected.tenant = kBolt;
  EXPECT_EQ(stamp_in(shop, kBolt), expected);
  HandleLease lease = shop.open("bolt");
  with_tenant(kBolt, [&] {
    lease->write(
        [](TenantTransaction& transaction) { transaction.execute("insert into invoice(total) values(1)"); });
  });
}

TEST(TenantTemplate, LeavesNothingBesideTheTenants) {
  Shop shop;
  const TenantTemplate made = template_of(shop);
  EXPECT_TRUE(testing::files_under(shop.folder.path()).empty());
  static_cast<void>(made.make(shop.registry, shop.handles.files(), kBolt, shop.clock.wall()));
  EXPECT_EQ(testing::files_under(shop.folder.path()), std::vector{shop.path("bolt")});
}

TEST(TenantTemplate, ATenantThatIsThereStaysAsItIs) {
  Shop shop;
  shop.create("bolt");
  const Stamp before = stamp_in(shop, kBolt);
  const TenantTemplate made = template_of(shop);
  EXPECT_EQ(code_of([&] {
              static_cast<void>(made.make(shop.registry, shop.handles.files(), kBolt, shop.clock.wall()));
            }),
            ErrorCode::tenant_exists);
  EXPECT_EQ(stamp_in(shop, kBolt), before);
}

// The registry's generation goes on, and the copy's stamp with it.
TEST(TenantTemplate, ATenantThatWasDeletedComesBackInItsNextGeneration) {
  Shop shop;
  shop.create("bolt");
  queue::set_tenant_state_for_test(*shop.store, kBolt, TenantState::deleted);
  shop.handles.close_idle();
  std::filesystem::remove(shop.handles.files().path_for(kBolt));
  const TenantRecord made =
      template_of(shop).make(shop.registry, shop.handles.files(), kBolt, shop.clock.wall());
  EXPECT_EQ(made.generation.value, 2);
  EXPECT_EQ(stamp_in(shop, kBolt).generation, made.generation);
}

TEST(TenantTemplate, AFileInItsPlaceIsLeftAlone) {
  Shop shop;
  const std::filesystem::path path = shop.handles.files().path_for(kBolt);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "not ours";
  const TenantTemplate made = template_of(shop);
  EXPECT_EQ(code_of([&] {
              static_cast<void>(made.make(shop.registry, shop.handles.files(), kBolt, shop.clock.wall()));
            }),
            ErrorCode::tenant_exists);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  EXPECT_FALSE(shop.registry.find(kBolt));
}

TEST(TenantTemplate, AMigrationThatFailsLeavesNothing) {
  Shop shop;
  EXPECT_EQ(code_of([&] {
              TenantTemplate(shop.folder.path(),
                             {.application = "shop", .migrations = {{1, "0001_bad.sql", "create nonsense"}}},
                             shop.clock.wall());
            }),
            ErrorCode::query_failed);
  EXPECT_TRUE(testing::files_under(shop.folder.path()).empty());
}

}  // namespace
}  // namespace tenure
