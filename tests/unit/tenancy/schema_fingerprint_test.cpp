#include "migrating_shop.hpp"

#include <tenure/tenancy/schema_fingerprint.hpp>

#include <gmock/gmock.h>

namespace tenure {
namespace {

using ::testing::IsEmpty;
using namespace testing;  // NOLINT

class SchemaFingerprint : public MigratingShop {
 protected:
  TenantSchema schema() {
    HandleLease lease = value_or_raise(shop_.handles.acquire(kAcme, Generation{1}));
    return with_tenant(kAcme, [&] { return tenant_schema(lease->begin_read()); });
  }
  void change(std::string_view sql) const {
    sqlite::Connection connection{shop_.path("acme"), {}};
    connection.execute({"change", sql});
  }
  std::vector<TenantSchema> expected() { return schemas_of_steps(newer_steps(), shop_.folder.path()); }
};

TEST_F(SchemaFingerprint, IsTheSameWhetherATenantWasMadeOrMigrated) {
  ASSERT_EQ(expected().size(), 4U);
  EXPECT_THAT(expected()[0].objects, IsEmpty());
  EXPECT_EQ(schema(), expected()[1]);
  migrate(newer_migrations());
  EXPECT_EQ(schema(), expected()[3]);
  EXPECT_EQ(schema().fingerprint(), expected()[3].fingerprint());
  EXPECT_NE(schema().fingerprint(), expected()[2].fingerprint());
  EXPECT_EQ(schema_difference(schema(), expected()[3]), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(shop_.folder / "expected.db"));
}

// The oldest that a file can have is that of no migration.
TEST_F(SchemaFingerprint, REG_22_ATenantThatWasMadeAndOneThatWasMigratedFromTheOldestSchemaHaveTheSame) {
  const auto whole = [&](const TenantName& name) {
    HandleLease lease = value_or_raise(shop_.handles.acquire(name, Generation{1}));
    return with_tenant(name, [&] { return tenant_schema(lease->begin_read()); });
  };
  const auto all_of_file = [&](std::string_view name) {
    return ask("select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema order by 1", name);
  };
  const TenantName oldest{"oldest"};
  const TenantName made{"made"};
  Tenants of_old{shop_.registry, shop_.handles, shop_.clock, {.application = "shop"}};
  of_old.create(oldest);
  {
    HandleLease lease = of_old.open(oldest);
    EXPECT_THAT(whole(oldest).objects, IsEmpty());
    with_tenant(oldest, [&] { migrate_tenant(lease, newer_migrations(), shop_.clock.wall()); });
  }
  Tenants of_new{
      shop_.registry, shop_.handles, shop_.clock, {.application = "shop", .migrations = newer_steps()}};
  of_new.create(made);
  EXPECT_EQ(whole(oldest).fingerprint(), whole(made).fingerprint());
  EXPECT_EQ(all_of_file("oldest"), all_of_file("made")) << "and so are the tables of Tenure's own";
  migrate(newer_migrations());
  EXPECT_EQ(schema().fingerprint(), whole(made).fingerprint());
}

TEST_F(SchemaFingerprint, NamesWhatSomebodyHasChanged) {
  migrate(newer_migrations());
  const auto difference = [&] { return schema_difference(schema(), expected()[3]).value_or(""); };
  change("drop index invoice_total");
  EXPECT_EQ(difference(), "index invoice_total is missing");
  change("create index invoice_total on invoice(total desc)");
  EXPECT_EQ(difference(), "index invoice_total is not as the migrations make it");
  change("drop index invoice_total; create index invoice_total on invoice(total); create table aside(x)");
  EXPECT_EQ(difference(), "table aside is not of the migrations");
  change("drop table aside; create view zoo as select 1");
  EXPECT_EQ(difference(), "view zoo is not of the migrations");
  change("drop view zoo");
  EXPECT_EQ(difference(), "");
}

}  // namespace
}  // namespace tenure
