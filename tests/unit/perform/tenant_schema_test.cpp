#include "bookkeeping.hpp"
#include "migrate_job.hpp"

#include <tenure/queue/tenant_schema.hpp>
#include <tenure/tenancy/stamp_change.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

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

struct OwnKind {
  static constexpr std::string_view kind = "tenure.migrate";
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

// --- Kinds that only read.

struct ListInvoices {
  static constexpr std::string_view kind = "books.list_invoices";
  static JobOptions options() { return {.schema = SchemaRange{.min = 1}, .reads_only = true}; }
};

class ReadingKind : public TenantSchema {
 protected:
  queue::ClaimedJob listing(std::function<void(JobContext&)> also) {
    jobs_.add<ListInvoices>([also = std::move(also)](const ListInvoices&, JobContext& context) {
      context.read([](TenantReader& reader) { static_cast<void>(reader.query("select 1 from invoice")); });
      also(context);
    });
    client_.enqueue(ListInvoices{}, {.tenant = "acme"});
    return claim();
  }
  void make_read_only() {
    set_stamp_read_only(handles_.files(), {TenantName{"acme"}, Generation{1}, "books"}, true);
  }
};

TEST_F(ReadingKind, RunsInAReadOnlyTenant) {
  const queue::ClaimedJob job = listing([](JobContext&) {});
  make_read_only();
  EXPECT_EQ(perform_by(ahead_, job, {}), std::nullopt);
}

TEST_F(ReadingKind, IsRefusedWhateverWritesAlsoWhereItsTenantIsNot) {
  const auto write = [](TenantTransaction& transaction) { transaction.execute("delete from invoice"); };
  const std::vector<std::pair<std::function<void(JobContext&)>, std::string>> ways{
      {[&](JobContext& context) { context.write(write); },
       "write: the kind books.list_invoices states reads_only"},
      {[&](JobContext& context) { context.once("pay", [](JobTransaction&) {}); },
       "once: the kind books.list_invoices states reads_only"},
      {[&](JobContext& context) { context.handle().write(write); }, "this handle was leased for reading"}};
  std::size_t way = 0;
  const queue::ClaimedJob job = listing([&](JobContext& context) { ways[way].first(context); });
  for (; way < ways.size(); ++way) {
    const auto failure = perform_by(ahead_, job, {});
    ASSERT_TRUE(failure) << way;
    EXPECT_EQ(failure->code, ErrorCode::access_refused);
    EXPECT_THAT(failure->error, HasSubstr(ways[way].second));
  }
}

TEST_F(ReadingKind, StandsAmongThoseThatAreOffered) {
  static_cast<void>(listing([](JobContext&) {}));
  const auto kinds = jobs_.kinds();
  const auto found = std::ranges::find(kinds, ListInvoices::kind, &JobRegistry::Kind::name);
  ASSERT_NE(found, kinds.end());
  EXPECT_TRUE(found->reads_only);
  EXPECT_FALSE(jobs_.reads_only(PayInvoice::kind));
}

// --- Migrations at the first touch.

TEST_F(TenantSchema, AProgramOffersToMigrateWhereItHasTheCodeOfEachStep) {
  const auto offers = [&](bool on_touch, std::vector<sqlite::Migration> migrations) {
    const auto kinds = offered_kinds(
        jobs_, {.application = "books", .migrations = std::move(migrations), .migrate_on_touch = on_touch});
    return std::ranges::find(kinds, queue::kMigrateKind, &JobRegistry::Kind::name) != kinds.end();
  };
  EXPECT_TRUE(offers(true, steps()));
  EXPECT_FALSE(offers(false, steps()));
  EXPECT_FALSE(offers(true, {}));
  auto with_code = steps();
  with_code.push_back({3, "0003_code", "-- tenure: code"});
  EXPECT_FALSE(offers(true, with_code));
  jobs_.add_migration("0003_code", [](TenantTransaction&) {});
  EXPECT_TRUE(offers(true, with_code));
}

// Left over: its database has passed what is wanted.
TEST_F(TenantSchema, AMigrationThatSomebodyHasCarriedOutMeanwhileIsDone) {
  const queue::AssignedJob job{.tenant = TenantName("acme"), .generation = Generation{1}};
  migrate("acme");
  const auto result = [&](std::int64_t wanted) {
    return detail::perform_migration(job, queue::migrate_arguments(wanted), handles_, {{steps().front()}},
                                     clock_);
  };
  EXPECT_EQ(result(1), queue::migrate_result(2, 2, {}));
  EXPECT_EQ(result(2), queue::migrate_result(2, 2, {}));
  EXPECT_THROW(result(3), TenantUnavailable);
}

TEST_F(TenantSchema, TheKindOfMigrationsIsTenuresOwn) {
  EXPECT_THROW(jobs_.add<OwnKind>([](const OwnKind&, JobContext&) {}), BadOptions);
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
