#include "bookkeeping.hpp"

#include <tenure/tenancy/tenant_migration.hpp>

#include <gmock/gmock.h>

namespace tenure {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT

// The program is one step ahead of its tenants.
class TenantSchema : public Bookkeeping {
 protected:
  TenantSchema() {
    jobs_.add<PayInvoice>([&](const PayInvoice&, JobContext& context) {
      ++entered_;
      if (!uses_database_) return;
      context.once("pay", [](JobTransaction& transaction) {
        transaction.execute("update invoice set paid = 1, note = 'by a job'");
      });
    });
  }
  static std::vector<sqlite::Migration> steps() {
    return {{1, "0001_invoice.sql", "create table invoice (id integer primary key, paid integer)"},
            {2, "0002_note", "alter table invoice add column note text"}};
  }
  void migrate(std::string_view tenant) {
    HandleLease lease = value_or_raise(handles_.acquire(TenantName{tenant}, Generation{1}));
    with_tenant(tenant, [&] { migrate_tenant(lease, {steps()}, clock_.wall()); });
  }
  queue::ClaimedJob claimed(std::string_view tenant) {
    with_tenant(tenant, [&] { client_.enqueue(PayInvoice{invoice_of(tenant)}); });
    return claim();
  }

  int entered_ = 0;
  bool uses_database_ = true;
  Performer ahead_{jobs_, handles_, clock_, {.application = "books", .migrations = steps()}};
};

TEST_F(TenantSchema, AJobOfATenantThatIsBehindDoesNotStart) {
  const queue::ClaimedJob job = claimed("acme");
  for (const bool uses : {false, true}) {
    uses_database_ = uses;
    const auto failure = perform_by(ahead_, job, {});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::pending_migration);
    EXPECT_THAT(failure->error, HasSubstr("has had 1 of the 2 migrations; next is 0002_note"));
  }
  EXPECT_EQ(entered_, 0);
  migrate("acme");
  EXPECT_EQ(perform_by(ahead_, job, {}), std::nullopt);
  EXPECT_EQ(entered_, 1);
}

TEST_F(TenantSchema, OneTenantSaysNothingOfAnother) {
  const queue::ClaimedJob behind = claimed("acme");
  const queue::ClaimedJob ready = claimed("bolt");
  migrate("bolt");
  EXPECT_EQ(perform_by(ahead_, ready, {}), std::nullopt);
  EXPECT_EQ(perform_by(ahead_, behind, {})->code, ErrorCode::pending_migration);
}

// Somebody has migrated the tenant since this process has looked at it.
TEST_F(TenantSchema, AHandleIsLookedAtAnew) {
  Performer behind(jobs_, handles_, clock_, {.application = "books", .migrations = {steps().front()}});
  uses_database_ = false;
  const queue::ClaimedJob job = claimed("acme");
  EXPECT_EQ(perform_by(behind, job, {}), std::nullopt);
  migrate("acme");
  EXPECT_EQ(perform_by(behind, job, {}), std::nullopt) << "it uses no database, and was known";
  uses_database_ = true;
  const auto failure = perform_by(behind, job, {});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::tenant_unavailable);
  EXPECT_THAT(failure->error, HasSubstr("has had 2 migrations, and this program knows 1"));
}

TEST_F(TenantSchema, AProgramWithoutMigrationsIsNotAsked) {
  const queue::ClaimedJob job = claimed("acme");
  migrate("acme");
  EXPECT_EQ(perform(job), std::nullopt);
}

TEST(MigrationCode, HasOneHandlerAStep) {
  JobRegistry jobs;
  jobs.add_migration("0002_note", [](TenantTransaction&) {});
  EXPECT_THROW(jobs.add_migration("0002_note", [](TenantTransaction&) {}), BadOptions);
  EXPECT_EQ(jobs.migration_codes().size(), 1U);
}

}  // namespace
}  // namespace tenure
