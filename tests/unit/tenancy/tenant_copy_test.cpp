#include "shop.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/tenant_copy.hpp>

#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

// Copies of one tenant's database.
namespace tenure {
namespace {

namespace fs = std::filesystem;

using testing::code_of;
using testing::Shop;

const TenantName kCopied{"acme"};
const TenantName kClone{"acme-test"};

struct CopiedShop : Shop {
  CopiedShop() { create("acme"); }

  [[nodiscard]] fs::path target(std::string_view name = "copy.db") const { return folder.path() / name; }
  void sell(std::int64_t invoices) {
    const TenantScope scope{kCopied};
    HandleLease lease = open("acme");
    for (std::int64_t each = 0; each < invoices; ++each)
      lease->write([](TenantTransaction& transaction) {
        transaction.execute("insert into invoice(total) values (10)");
      });
  }
  TenantCopy copy(const fs::path& to, FunctionRef<void(std::int64_t, std::int64_t)> progress) {
    return copy_tenant(handles.files(),
                       {.tenant = kCopied, .generation = Generation{1}, .application = "shop"}, to, clock,
                       progress);
  }
  TenantCopy copy() {
    return copy(target(), [](std::int64_t, std::int64_t) {});
  }
  static std::int64_t number_in(const fs::path& path, const char* sql) {
    sqlite::Connection connection{path, {.access = sqlite::Access::look_at_file}};
    const sqlite::Query query{"number", sql};
    return connection.statement(query).row().integer(0);
  }
  static std::int64_t invoices_in(const fs::path& path) {
    return number_in(path, "select count(*) from invoice");
  }
  TenantRecord make(const TenantName& name, const fs::path& from, ReceiptsOfCopy receipts,
                    const CreateOptions& options = {}) {
    return make_tenant_from_copy(
        registry, handles.files(), clock, name,
        {.copy = from, .origin = "clone:" + kCopied.text(), .receipts = receipts, .application = "shop"},
        options);
  }
  // A receipt and a row that has not left, as runs leave them.
  void leave_traces() {
    sqlite::Connection connection{path("acme"), {}};
    connection.execute({"script",
                        "insert into tenure_receipts values (zeroblob(16), 'step', 1, 1, 0, null);"
                        "insert into tenure_outbox(job_id, envelope) values (zeroblob(16), x'00')"});
  }
};

TEST(TenantCopy, IsOfOneMomentWhileOthersWriteAndForItsOwnersEyesOnly) {
  CopiedShop shop;
  shop.sell(3);
  bool has_sold = false;
  const TenantCopy copy = shop.copy(shop.target(), [&](std::int64_t done, std::int64_t total) {
    EXPECT_LE(done, total);
    if (!has_sold) shop.sell(2);
    has_sold = true;
  });
  EXPECT_TRUE(has_sold);
  EXPECT_EQ(copy.tenant, kCopied);
  EXPECT_EQ(copy.generation, Generation{1});
  EXPECT_EQ(copy.application, "shop");
  EXPECT_EQ(copy.copied, shop.clock.wall());
  EXPECT_EQ(copy.migrations, 1);
  EXPECT_EQ(copy.size_bytes, static_cast<std::int64_t>(fs::file_size(shop.target())));
  EXPECT_EQ(CopiedShop::invoices_in(shop.target()), 3);
  struct stat status {};
  ASSERT_EQ(::stat(shop.target().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const char* const ending : {"-wal", "-shm", "-journal", ".partial"})
    EXPECT_FALSE(fs::exists(shop.target().string() + ending)) << ending;
  EXPECT_EQ(CopiedShop::number_in(shop.target(), "select count(*) from tenure_copy"), 1);
}

TEST(TenantCopy, OfADatabaseThatNobodyHasOpenNothingIsLeftBesideIt) {
  CopiedShop shop;
  shop.sell(1);
  shop.handles.close_idle();
  ASSERT_FALSE(fs::exists(shop.path("acme").string() + "-wal"));
  shop.copy();
  for (const char* const ending : {"-wal", "-shm"})
    EXPECT_FALSE(fs::exists(shop.path("acme").string() + ending)) << ending;
  EXPECT_EQ(CopiedShop::invoices_in(shop.target()), 1);
}

TEST(TenantCopy, OneThatIsEndedLeavesNothingAndNothingIsOverwritten) {
  CopiedShop shop;
  EXPECT_THROW(
      shop.copy(shop.target(), [](std::int64_t, std::int64_t) { throw std::runtime_error("enough"); }),
      std::runtime_error);
  EXPECT_FALSE(fs::exists(shop.target()));
  EXPECT_FALSE(fs::exists(shop.target().string() + ".partial"));
  std::ofstream{shop.target()} << "kept";
  EXPECT_EQ(code_of([&] { shop.copy(); }), ErrorCode::access_refused);
  EXPECT_EQ(fs::file_size(shop.target()), 4U);
}

TEST(TenantCopy, AFileOfAnotherTenantOrGenerationIsNotCopied) {
  CopiedShop shop;
  shop.handles.close_idle();
  shop.restamp("acme", TenantState::active, 2);
  EXPECT_EQ(code_of([&] { shop.copy(); }), ErrorCode::stale_generation);
  fs::remove(shop.path("acme"));
  EXPECT_EQ(code_of([&] { shop.copy(); }), ErrorCode::tenant_does_not_exist);
  EXPECT_FALSE(fs::exists(shop.target()));
}

// A copy that was put in its place by hand says nothing of the next copy's time.
TEST(TenantCopy, ACopyOfACopyIsOfItsOwnTime) {
  CopiedShop shop;
  shop.copy();
  shop.handles.close_idle();
  fs::copy_file(shop.target(), shop.path("acme"), fs::copy_options::overwrite_existing);
  shop.clock.advance(std::chrono::hours{1});
  const TenantCopy again = shop.copy(shop.target("again.db"), [](std::int64_t, std::int64_t) {});
  EXPECT_EQ(again.copied, shop.clock.wall());
  shop.sell(1);
}

TEST(TenantCopy, WhatIsNoTenantsDatabaseOrDamagedIsRefused) {
  CopiedShop shop;
  shop.sell(2000);
  shop.copy();
  EXPECT_EQ(look_at_tenant_copy(shop.target()).migrations, 1);
  EXPECT_EQ(code_of([&] { (void)look_at_tenant_copy(shop.target("missing.db")); }),
            ErrorCode::database_missing);
  {
    sqlite::Connection other{shop.target("other.db"), {.access = sqlite::Access::create}};
    other.execute({"script", "create table t(x)"});
  }
  EXPECT_EQ(code_of([&] { (void)look_at_tenant_copy(shop.target("other.db")); }), ErrorCode::wrong_tenant);
  std::ofstream{shop.target("text.db")} << std::string(8192, 'x');
  EXPECT_EQ(code_of([&] { (void)look_at_tenant_copy(shop.target("text.db")); }), ErrorCode::database_damaged);
  {
    std::fstream file{shop.target(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(fs::file_size(shop.target())) - 4096 * 2);
    file << std::string(4096, '\x7f');
  }
  EXPECT_EQ(code_of([&] { (void)look_at_tenant_copy(shop.target()); }), ErrorCode::database_damaged);
}

TEST(TenantCopy, AClonesReceiptsAndOutboxAreEmptyAndItsStampIsItsOwn) {
  CopiedShop shop;
  shop.sell(3);
  shop.leave_traces();
  const TenantRecord made = shop.make(kClone, shop.path("acme"), ReceiptsOfCopy::forget);
  EXPECT_EQ(made.generation, Generation{1});
  shop.handles.close_idle();
  const fs::path path = shop.path("acme-test");
  EXPECT_EQ(CopiedShop::invoices_in(path), 3);
  EXPECT_EQ(CopiedShop::number_in(path, "select count(*) from tenure_receipts"), 0);
  EXPECT_EQ(CopiedShop::number_in(path, "select count(*) from tenure_outbox"), 0);
  EXPECT_EQ(CopiedShop::number_in(path, "select tenant = 'acme-test' and state = 2 from tenure_stamp"), 1);
  EXPECT_EQ(CopiedShop::number_in(shop.path("acme"), "select count(*) from tenure_receipts"), 1);
  shop.sell(1);
  EXPECT_EQ(CopiedShop::invoices_in(path), 3) << "they are two";
}

TEST(TenantCopy, PutBackItKeepsReceiptsAndSaysNoMoreThatItIsACopy) {
  CopiedShop shop;
  shop.leave_traces();
  shop.copy();
  shop.make(kClone, shop.target(), ReceiptsOfCopy::keep);
  const fs::path path = shop.path("acme-test");
  EXPECT_EQ(CopiedShop::number_in(path, "select count(*) from tenure_receipts"), 1);
  EXPECT_EQ(CopiedShop::number_in(path, "select count(*) from sqlite_schema where name = 'tenure_copy'"), 0);
  EXPECT_EQ(CopiedShop::number_in(shop.target(), "select count(*) from tenure_copy"), 1)
      << "the copy stays as it is";
}

// Stopped at each of its steps, and gone on with by the same call.
TEST(TenantCopy, MakingATenantOfItGoesOnWhereItWasInterrupted) {
  constexpr std::array kSteps{CreateStep::lock,   CreateStep::begin,    CreateStep::clean,
                              CreateStep::schema, CreateStep::stamp,    CreateStep::close,
                              CreateStep::folder, CreateStep::rename,   CreateStep::sync_folder,
                              CreateStep::unlock, CreateStep::activate, CreateStep::sync_file};
  for (const CreateStep stopped : kSteps) {
    CopiedShop shop;
    shop.sell(2);
    shop.copy();
    CreateOptions options;
    options.on_step = [&](CreateStep step) {
      if (step == stopped) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(shop.make(kClone, shop.target(), ReceiptsOfCopy::forget, options), std::runtime_error);
    const auto found = shop.registry.find(kClone);
    EXPECT_TRUE(!found || found->state == TenantState::provisioning || stopped == CreateStep::unlock);
    if (stopped != CreateStep::unlock) shop.make(kClone, shop.target(), ReceiptsOfCopy::forget);
    EXPECT_EQ(shop.registry.find(kClone)->state, TenantState::active);
    EXPECT_EQ(CopiedShop::invoices_in(shop.path("acme-test")), 2) << static_cast<int>(stopped);
    EXPECT_EQ(shop.registry.find(kClone)->generation, Generation{1});
  }
}

TEST(TenantCopy, AnOutboxIsReadOutOfAFileWhoseStampIsClosed) {
  CopiedShop shop;
  shop.leave_traces();
  shop.handles.close_idle();
  const Graveyard graveyard(shop.handles.files(), "shop");
  static_cast<void>(graveyard.bury(kCopied, Generation{1}));
  const fs::path buried = graveyard.path_for(kCopied, Generation{1});
  const OutboxPage page = outbox_of_buried(buried, 0, 10);
  EXPECT_EQ(page.newest, 1);
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_TRUE(page.is_all);
  EXPECT_TRUE(outbox_of_buried(buried, 1, 10).entries.empty());
  EXPECT_EQ(look_at_tenant_copy(buried).generation, Generation{1}) << "one that was put away is a copy too";
}

TEST(TenantCopy, ADamagedFileIsPutAwayWhereThatIsAskedFor) {
  CopiedShop shop;
  shop.handles.close_idle();
  std::ofstream{shop.path("acme"), std::ios::trunc} << std::string(8192, 'x');
  const Graveyard graveyard(shop.handles.files(), "shop");
  EXPECT_EQ(code_of([&] { (void)graveyard.bury(kCopied, Generation{1}); }), ErrorCode::database_damaged);
  EXPECT_TRUE(fs::exists(shop.path("acme")));
  const Burial burial = graveyard.bury(kCopied, Generation{1}, nullptr, Graveyard::Unreadable::move);
  EXPECT_EQ(burial.size_bytes(), 8192);
  EXPECT_FALSE(fs::exists(shop.path("acme")));
}

}  // namespace
}  // namespace tenure
