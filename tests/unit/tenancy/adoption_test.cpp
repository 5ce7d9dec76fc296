#include "shop.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/adoption.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>

// A database that somebody else has made becomes a tenant's.
namespace tenure {
namespace {

namespace fs = std::filesystem;

using testing::code_of;
using testing::Shop;

const TenantName kAdoptedTenant{"found"};
const AdoptionOptions kShopAdoption{.application = "shop"};

struct FoundShop : Shop {
  FoundShop() {
    fs::create_directories(path("found").parent_path());
    sqlite::Connection connection{path("found"), {.access = sqlite::Access::create}};
    connection.execute({"tables",
                        "create table invoice(id integer primary key, total integer); "
                        "insert into invoice values (1, 10)"});
  }
  Adopted adopt(const OnAdoptStep& on_step = nullptr) {
    return adopt_tenant(registry, handles.files(), clock, kAdoptedTenant, kShopAdoption, on_step);
  }
  std::int64_t invoices_of_found() {
    const TenantScope scope{kAdoptedTenant};
    HandleLease lease = value_or_raise(handles.acquire(kAdoptedTenant, Generation{1}));
    return lease->read([](TenantReader& reader) {
      auto rows = reader.query("select count(*) from invoice");
      rows.next();
      return rows.row().integer(0);
    });
  }
};

TEST(Adoption, StoppedAtAnyStepNobodyIsServedAndTheNextCallEndsIt) {
  for (int last = static_cast<int>(AdoptStep::lock); last <= static_cast<int>(AdoptStep::unlock); ++last) {
    FoundShop shop;
    const auto stop = [&](AdoptStep step) {
      if (static_cast<int>(step) == last) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(static_cast<void>(shop.adopt(stop)), std::runtime_error) << last;
    const auto record = shop.registry.find(kAdoptedTenant);
    const bool is_behind = last > static_cast<int>(AdoptStep::activate);
    EXPECT_EQ(record && record->state == TenantState::active, is_behind) << last;
    const Adopted again = shop.adopt();
    EXPECT_EQ(again.existed, is_behind) << last;
    EXPECT_EQ(again.tenant.generation, Generation{1}) << last;
    EXPECT_EQ(shop.registry.find(kAdoptedTenant)->state, TenantState::active);
    EXPECT_EQ(shop.invoices_of_found(), 1) << last;
    EXPECT_TRUE(shop.adopt().existed);
  }
}

TEST(Adoption, KilledInItsLastCloseItGoesOnThoughOnlyAWriterCanReadTheFile) {
  FoundShop shop;
  const fs::path log = shop.path("found").string() + "-wal";
  const auto stop = [&](AdoptStep step) {
    if (step != AdoptStep::activate) return;
    {
      const sqlite::Connection open{shop.path("found"), {}};
      sqlite::Connection{shop.path("found"), {}}.execute({"write", "insert into invoice values (2, 20)"});
      fs::copy_file(log, shop.folder / "log");
    }
    fs::copy_file(shop.folder / "log", log);
    throw std::runtime_error("killed");
  };
  EXPECT_THROW(static_cast<void>(shop.adopt(stop)), std::runtime_error);
  ASSERT_TRUE(fs::exists(log));
  EXPECT_FALSE(shop.adopt().existed);
  EXPECT_EQ(shop.invoices_of_found(), 2);
}

TEST(Adoption, AFileThatIsSomebodyElsesStaysAsItIs) {
  FoundShop shop;
  static_cast<void>(shop.adopt());
  shop.handles.close_idle();
  const AdoptionOptions others{.application = "another"};
  const auto looked = look_at_database(shop.handles.files(), kAdoptedTenant, others);
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().code, ErrorCode::wrong_tenant);
  const auto missing = look_at_database(shop.handles.files(), TenantName{"nobody"}, kShopAdoption);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::tenant_does_not_exist);
}

}  // namespace
}  // namespace tenure
