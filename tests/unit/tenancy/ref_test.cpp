#include "shop.hpp"

#include <gmock/gmock.h>

#include <type_traits>
#include <unordered_set>

namespace tenure {
namespace {

using testing::code_of;
using testing::Currency;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::Invoice;
using testing::Shop;

// GID_12: a Ref comes from a handle, from a loaded record or from checked text, and from nothing else. The
// default one refers to nothing.
static_assert(!std::is_constructible_v<Ref<Invoice>, int>);
static_assert(!std::is_constructible_v<Ref<Invoice>, const char*>);
static_assert(!std::is_constructible_v<Ref<Invoice>, std::string>);
static_assert(!std::is_constructible_v<Ref<Invoice>, std::string_view>);
static_assert(!std::is_constructible_v<Ref<Invoice>, GlobalId>);
static_assert(!std::is_constructible_v<Ref<Invoice>, TenantName, std::string_view>);
static_assert(!std::is_constructible_v<Ref<Invoice>, Invoice>);
static_assert(!std::is_convertible_v<std::string, Ref<Invoice>>);
static_assert(!std::is_constructible_v<Ref<Invoice>, Ref<Currency>>);
static_assert(!std::is_constructible_v<Loaded<Invoice>, Invoice, Ref<Invoice>, TenantReader&>);

class RefTest : public ::testing::Test {
 protected:
  RefTest() {
    for (const std::string_view name : {"acme", "globex"}) {
      HandleLease lease = shop_.create(name);
      with_tenant(name, [&] {
        lease->write([](TenantTransaction& transaction) {
          transaction.execute("insert into invoice(id, total) values(1, 10), (2, 20)");
        });
      });
    }
  }

  Ref<Invoice> ref_of(std::string_view tenant, std::int64_t id) {
    return with_tenant(tenant, [&] {
      return shop_.open(tenant)->read([&](TenantReader& reader) { return reader.ref<Invoice>(id); });
    });
  }
  static Ref<Invoice> parsed(std::string_view text) { return value_or_raise(Ref<Invoice>::parse(text)); }

  // Locates inside acme, with a handle of acme.
  std::optional<Failure> locate_in_acme(const Ref<Invoice>& ref) {
    return with_tenant("acme", [&] {
      return shop_.open("acme")->read(
          [&](TenantReader& reader) { return failure_of([&] { return locate(reader, ref)->id; }); });
    });
  }

  Shop shop_;
};

TEST_F(RefTest, ARecordIsFoundAndKnowsWhereItCameFrom) {
  HandleLease lease = shop_.open("acme");
  const Loaded<Invoice> invoice = with_tenant("acme", [&] {
    return lease->read([](TenantReader& reader) { return locate(reader, reader.ref<Invoice>(2)); });
  });
  EXPECT_EQ(invoice->total, 20);
  EXPECT_EQ((*invoice).id, 2);
  EXPECT_EQ(invoice.tenant(), TenantName{"acme"});
  EXPECT_EQ(invoice.generation(), Generation{1});
  EXPECT_EQ(invoice.ref().text(), "gid://shop/Invoice/2?tenant=acme");
}

TEST_F(RefTest, GID_01_AnIdWithoutTenantIsMissingTenantBeforeAnythingElse) {
  const Ref<Invoice> ref = parsed("gid://other/Invoice/99");
  EXPECT_EQ(locate_in_acme(ref)->code, ErrorCode::missing_tenant);
  HandleLease lease = shop_.open("acme");
  std::optional<TenantReader> reader;
  with_tenant("acme", [&] {
    const TenantSnapshot snapshot = lease->begin_read();
    reader.emplace(snapshot);
    without_tenant([&] {
      EXPECT_EQ(code_of([&] { static_cast<void>(locate(*reader, ref)); }), ErrorCode::missing_tenant);
    });
  });
}

TEST_F(RefTest, GID_01_OutsideAScopeItIsNoTenantBeforeWrongTenant) {
  HandleLease lease = shop_.open("acme");
  with_tenant("acme", [&] {
    TenantSnapshot snapshot = lease->begin_read();
    without_tenant([&] {
      EXPECT_EQ(code_of([&] { static_cast<void>(locate(snapshot, ref_of("globex", 99))); }),
                ErrorCode::no_tenant);
    });
  });
}

TEST_F(RefTest, GID_01_AnotherTenantsIdIsWrongTenantBeforeTheLookup) {
  EXPECT_EQ(locate_in_acme(ref_of("globex", 1))->code, ErrorCode::wrong_tenant);
  EXPECT_EQ(locate_in_acme(ref_of("globex", 99))->code, ErrorCode::wrong_tenant);
  EXPECT_EQ(locate_in_acme(parsed("gid://other/Invoice/99?tenant=globex"))->code, ErrorCode::wrong_tenant);
}

TEST_F(RefTest, GID_01_InTheRightScopeWithAnotherTenantsHandleItIsWrongTenant) {
  HandleLease lease = shop_.open("globex");
  const Ref<Invoice> ref = ref_of("acme", 1);
  with_tenant("globex", [&] {
    TenantSnapshot snapshot = lease->begin_read();
    with_tenant("acme", AllowSwap{}, [&] {
      EXPECT_EQ(code_of([&] { static_cast<void>(locate(snapshot, ref)); }), ErrorCode::wrong_tenant);
    });
  });
}

TEST_F(RefTest, GID_05_AMissingRecordIsRecordNotFound) {
  const auto failure = locate_in_acme(ref_of("acme", 99));
  EXPECT_EQ(failure->code, ErrorCode::record_not_found);
  EXPECT_THAT(failure->message, HasSubstr("gid://shop/Invoice/99?tenant=acme"));
  EXPECT_EQ(failure->tenant, "acme");
}

TEST_F(RefTest, GID_07_AnotherApplicationsIdIsRefused) {
  EXPECT_EQ(locate_in_acme(parsed("gid://other/Invoice/1?tenant=acme"))->code, ErrorCode::bad_global_id);
}

TEST_F(RefTest, GID_04_AllIdsAreCheckedBeforeTheFirstIsLoaded) {
  const std::vector<Ref<Invoice>> refs{ref_of("acme", 99), ref_of("acme", 1), ref_of("globex", 1)};
  with_tenant("acme", [&] {
    shop_.open("acme")->read([&](TenantReader& reader) {
      EXPECT_EQ(code_of([&] { static_cast<void>(locate_all(reader, refs)); }), ErrorCode::wrong_tenant);
    });
  });
}

TEST_F(RefTest, GID_04_MissingRecordsComeInOneErrorListed) {
  const std::vector<Ref<Invoice>> refs{ref_of("acme", 98), ref_of("acme", 1), ref_of("acme", 99)};
  with_tenant("acme", [&] {
    shop_.open("acme")->read([&](TenantReader& reader) {
      const auto failure = failure_of([&] { return locate_all(reader, refs).size(); });
      ASSERT_TRUE(failure);
      EXPECT_EQ(failure->code, ErrorCode::record_not_found);
      EXPECT_THAT(failure->message, HasSubstr("Invoice/98"));
      EXPECT_THAT(failure->message, HasSubstr("Invoice/99"));
      const auto found = locate_all(reader, std::vector{refs[1], ref_of("acme", 2), refs[1]});
      EXPECT_EQ(found.size(), 3U);
      EXPECT_EQ(found[1]->id, 2);
    });
  });
}

TEST_F(RefTest, GID_09_EqualityAndHashIncludeTheTenant) {
  const std::unordered_set<Ref<Invoice>> keys{ref_of("acme", 1), ref_of("globex", 1), ref_of("acme", 1)};
  EXPECT_EQ(keys.size(), 2U);
}

TEST_F(RefTest, GID_10_ARefCarriesTheTenantOfItsHandleWhateverTheScopeSays) {
  HandleLease lease = shop_.open("acme");
  with_tenant("acme", [&] {
    TenantSnapshot snapshot = lease->begin_read();
    with_tenant("globex", AllowSwap{}, [&] {
      EXPECT_EQ(code_of([&] { static_cast<void>(snapshot.ref<Invoice>(1)); }), ErrorCode::wrong_tenant);
    });
    EXPECT_EQ(snapshot.ref<Invoice>("1").tenant(), TenantName{"acme"});
  });
}

TEST_F(RefTest, GID_11_AnIdOfAnotherModelIsNotParsed) {
  EXPECT_FALSE(Ref<Invoice>::parse("gid://shop/Currency/1?tenant=acme"));
  EXPECT_FALSE(Ref<Invoice>::parse("gid://shop/invoice/1?tenant=acme"));
}

TEST_F(RefTest, GID_11_AnIdOfASharedModelHasNoTenantAndWorksInAnyScope) {
  EXPECT_FALSE(Ref<Currency>::parse("gid://shop/Currency/EUR?tenant=acme"));
  const Ref<Currency> euro = value_or_raise(Ref<Currency>::parse("gid://shop/Currency/EUR"));
  for (const std::string_view tenant : {"acme", "globex"}) {
    HandleLease lease = shop_.open(tenant);
    with_tenant(tenant, [&] {
      lease->read([&](TenantReader& reader) {
        EXPECT_EQ(locate(reader, euro)->code, "EUR");
        EXPECT_EQ(reader.ref<Currency>("EUR"), euro);
      });
    });
  }
}

TEST_F(RefTest, HND_01_ARecordOfAnotherTenantCannotBeBound) {
  HandleLease acme = shop_.open("acme");
  HandleLease globex = shop_.open("globex");
  const Loaded<Invoice> invoice = with_tenant("acme", [&] {
    return acme->read([](TenantReader& reader) { return locate(reader, reader.ref<Invoice>(1)); });
  });
  with_tenant("globex", [&] {
    globex->write([&](TenantTransaction& transaction) {
      EXPECT_EQ(code_of([&] { transaction.execute("update invoice set total = 0 where id = ?", invoice); }),
                ErrorCode::wrong_tenant);
      EXPECT_EQ(code_of([&] {
                  transaction.execute("delete from invoice where id in (?, ?)", transaction.ref<Invoice>(1),
                                      invoice.ref());
                }),
                ErrorCode::wrong_tenant);
      EXPECT_EQ(locate(transaction, transaction.ref<Invoice>(1))->total, 10);
    });
  });
  with_tenant("acme", [&] {
    acme->write([&](TenantTransaction& transaction) {
      EXPECT_EQ(transaction.execute("update invoice set total = 11 where id = ?", invoice), 1);
    });
  });
}

TEST_F(RefTest, AnEmptyRefIsRefusedWhereverItIsUsed) {
  const Ref<Invoice> empty;
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(code_of([&] { static_cast<void>(empty.text()); }), ErrorCode::bad_global_id);
  EXPECT_EQ(locate_in_acme(empty)->code, ErrorCode::bad_global_id);
}

}  // namespace
}  // namespace tenure
