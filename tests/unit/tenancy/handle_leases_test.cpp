#include "shop.hpp"
#include "support/in_child.hpp"

#include <gtest/gtest.h>

#include <memory>

// What a test kit asks of a cache: to end the leases that a test has left, and whose they were.
namespace tenure {
namespace {

using testing::code_of;
using testing::Shop;

TEST(HandleCache, EndsLeasesAndTellsWhoseTheyWereAndWhatWasOpenOnThem) {
  Shop shop;
  shop.create("acme");
  shop.create("bolt");
  EXPECT_TRUE(shop.handles.end_leases_for_test().empty());
  {
    HandleLease acme = shop.open("acme");
    const HandleLease bolt = shop.open("bolt");
    with_tenant("acme", [&] {
      TenantTransaction transaction = acme->begin();
      transaction.execute("insert into invoice(total) values(1)");
      const auto leased = shop.handles.end_leases_for_test();
      ASSERT_EQ(leased.size(), 2U);
      EXPECT_EQ(leased[0].tenant, TenantName{"acme"});
      EXPECT_EQ(leased[0].open.transactions, 1);
      EXPECT_EQ(leased[1].tenant, TenantName{"bolt"});
      EXPECT_TRUE(leased[1].open.none());
      EXPECT_EQ(code_of([&] { transaction.commit(); }), ErrorCode::handle_ended);
      EXPECT_EQ(code_of([&] { static_cast<void>(acme->begin()); }), ErrorCode::handle_ended);
    });
    EXPECT_EQ(shop.handles.counters().leased, 0);
  }
  EXPECT_EQ(shop.handles.counters().leased, 0);
  const HandleLease again = shop.open("acme");
  with_tenant("acme", [&] {
    again.handle().read([](TenantReader& reader) {
      EXPECT_FALSE(reader.query("select 1 from invoice").next()) << "undone with its lease";
    });
  });
}

TEST(HandleCache, InAForkedProcessItTellsNothingOfTheLeasesOfItsParent) {
  Shop shop;
  shop.create("acme");
  auto ended = std::make_unique<HandleLease>(shop.open("acme"));
  const HandleLease open = shop.open("acme");
  EXPECT_EQ(testing::in_child([&] {
              ended.reset();
              return static_cast<int>(shop.handles.end_leases_for_test().size());
            }),
            0);
  EXPECT_EQ(shop.handles.end_leases_for_test().size(), 2U);
}

}  // namespace
}  // namespace tenure
