#include "bookkeeping.hpp"

#include <tenure/tenancy/tenant_migration.hpp>

#include <gmock/gmock.h>

namespace tenure {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT

// Its handler works with the former tables too.
struct CountInvoices {
  static constexpr std::string_view kind = "books.count_invoices";
  static JobOptions options() { return {.schema = SchemaRange{.min = 1}}; }
};
struct CountOldInvoices {
  static constexpr std::string_view kind = "books.count_old_invoices";
  static JobOptions options() { return {.schema = SchemaRange{.min = 1, .max = 1}}; }
};

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
  template <class Job>
  queue::ClaimedJob counting(std::string_view tenant) {
    jobs_.add<Job>([](const Job&, JobContext& context) {
      context.handle().read(
          [](TenantReader& reader) { static_cast<void>(reader.query("select 1 from invoice")); });
    });
    client_.enqueue(Job{}, {.tenant = tenant});
    return claim();
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

TEST_F(TenantSchema, AKindThatStatesARangeRunsWithinIt) {
  const queue::ClaimedJob job = counting<CountInvoices>("acme");
  EXPECT_EQ(perform_by(ahead_, job, {}), std::nullopt);
  migrate("acme");
  EXPECT_EQ(perform_by(ahead_, job, {}), std::nullopt);
}

TEST_F(TenantSchema, BehindItsEndADatabaseIsTooNewForAKind) {
  const queue::ClaimedJob job = counting<CountOldInvoices>("acme");
  EXPECT_EQ(perform_by(ahead_, job, {}), std::nullopt);
  migrate("acme");
  const auto failure = perform_by(ahead_, job, {});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::tenant_unavailable);
}

TEST(SchemaRange, HasLimits) {
  const auto refused = [](SchemaRange range) {
    try {
      check_options({.schema = range});
      return std::string();
    } catch (const BadOptions& error) {
      return error.failure().where;
    }
  };
  EXPECT_EQ(refused({0, 0}), "");
  EXPECT_EQ(refused({9999, 9999}), "");
  EXPECT_EQ(refused({-1, 0}), "schema.min");
  EXPECT_EQ(refused({10000, 0}), "schema.min");
  EXPECT_EQ(refused({2, 1}), "schema.max");
  EXPECT_EQ(refused({2, 10000}), "schema.max");
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
