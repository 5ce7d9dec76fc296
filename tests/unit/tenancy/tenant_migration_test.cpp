#include "migrating_shop.hpp"
#include "support/in_child.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/tenancy/migrations.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace tenure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;  // NOLINT

using TenantMigrationTest = MigratingShop;

TEST_F(TenantMigrationTest, CarriesOutWhatTheTenantLacksEachWithItsRow) {
  const TenantMigrated done = migrate(newer_migrations());
  EXPECT_EQ(done.from, 1);
  EXPECT_EQ(done.to, 3);
  EXPECT_THAT(done.steps, ElementsAre("0002_totals", "0003_half"));
  EXPECT_THAT(ask("select half from invoice order by id"), ElementsAre("5", "15"));
  EXPECT_THAT(ask("select number || ' ' || name from tenure_migration"),
              ElementsAre("1 0001_invoice", "2 0002_totals", "3 0003_half"));
  EXPECT_EQ(stamped(), TenantState::active);
  EXPECT_THAT(migrate(newer_migrations()).steps, IsEmpty());
}

TEST_F(TenantMigrationTest, GoesNoFurtherThanItIsTold) {
  EXPECT_THAT(migrate(newer_migrations(), {.to = 2}).steps, ElementsAre("0002_totals"));
  EXPECT_EQ(version(), 2);
  EXPECT_EQ(stamped(), TenantState::active);
  EXPECT_EQ(code_of([&] { migrate(newer_migrations(), {.to = 4}); }), ErrorCode::bad_options);
}

TEST_F(TenantMigrationTest, ATenantThatHadNoMigrationsGetsThemAll) {
  Tenants plain{shop_.registry, shop_.handles, shop_.clock, {.application = "shop"}};
  plain.create(TenantName{"bolt"});
  HandleLease lease = plain.open(TenantName{"bolt"});
  with_tenant("bolt", [&] { migrate_tenant(lease, newer_migrations(), shop_.clock.wall()); });
  EXPECT_EQ(version("bolt"), 3);
}

// A row that the statements of the step before have changed is undone with it.
TEST_F(TenantMigrationTest, AStepThatFailsLeavesTheFormerSchemaWhole) {
  const auto before = content();
  TenantMigrations broken{.steps = shop_migrations()};
  broken.steps.push_back({2, "0002_unique",
                          "update invoice set total = 7;\n\n-- now all are alike\ncreate unique index u\n"
                          "on invoice(total)"});
  const auto failure = failure_of([&] { return migrate(broken).steps.size(); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::constraint_violated);
  EXPECT_EQ(failure->where, "0002_unique line 4");
  EXPECT_EQ(content(), before);
  EXPECT_EQ(stamped(), TenantState::active);

  TenantMigrations throwing = newer_migrations();
  throwing.codes["0003_half"] = [](TenantTransaction& transaction) {
    fill_half(transaction);
    throw std::runtime_error("no rate for that currency");
  };
  TenantMigrated told;
  EXPECT_THROW(migrate(throwing, {.told = &told}), std::runtime_error);
  EXPECT_THAT(told.steps, ElementsAre("0002_totals"));
  EXPECT_EQ(version(), 2);
  EXPECT_THAT(ask("select name from pragma_table_info('invoice') where name = 'half'"), IsEmpty());
  EXPECT_EQ(stamped(), TenantState::active);

  EXPECT_THAT(migrate(newer_migrations()).steps, ElementsAre("0003_half")) << "a rerun heals it";
}

TEST_F(TenantMigrationTest, TheCodeOfAStepDoesNotCommitIt) {
  using Commit = void (TenantTransaction::*)();
  for (const Commit commit : {&TenantTransaction::commit, &TenantTransaction::commit_ordered}) {
    TenantMigrations committing = newer_migrations();
    committing.codes["0003_half"] = [&](TenantTransaction& transaction) {
      fill_half(transaction);
      (transaction.*commit)();
    };
    const auto failure = failure_of([&] { return migrate(committing).to; });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::access_refused);
    EXPECT_THAT(failure->message, HasSubstr("the code of a migration does not commit"));
    EXPECT_EQ(failure->where, "0003_half");
    EXPECT_EQ(version(), 2);
    EXPECT_THAT(ask("select name from pragma_table_info('invoice') where name = 'half'"), IsEmpty());
    EXPECT_EQ(stamped(), TenantState::active);
  }
  TenantMigrations catching = newer_migrations();
  catching.codes["0003_half"] = [](TenantTransaction& transaction) {
    EXPECT_EQ(code_of([&] { transaction.commit(); }), ErrorCode::access_refused);
    fill_half(transaction);
  };
  EXPECT_THAT(migrate(catching).steps, ElementsAre("0003_half"))
      << "the refusal leaves the transaction as it was";
  EXPECT_THAT(ask("select half from invoice order by id"), ElementsAre("5", "15"));
}

TEST_F(TenantMigrationTest, AStepMayNotTouchWhatIsTenures) {
  for (const std::string sql :
       {"update tenure_stamp set state = 8", "drop table tenure_receipts", "attach 'x.db' as x",
        "create trigger t after insert on tenure_outbox begin select 1; end", "pragma user_version = 3",
        "commit"}) {
    TenantMigrations bad{.steps = shop_migrations()};
    bad.steps.push_back({2, "0002_bad", sql});
    EXPECT_EQ(code_of([&] { migrate(bad); }), ErrorCode::access_refused) << sql;
    EXPECT_EQ(version(), 1);
    EXPECT_EQ(stamped(), TenantState::active);
  }
}

TEST_F(TenantMigrationTest, MIG_10_AFileThatIsNewerIsRefusedNamingBothVersionsAndNotWritten) {
  migrate(newer_migrations());
  shop_.handles.close_idle();
  const auto before = content();
  const auto migrating = failure_of([&] { return migrate({.steps = shop_migrations()}).to; });
  ASSERT_TRUE(migrating);
  EXPECT_EQ(migrating->code, ErrorCode::schema_mismatch);
  EXPECT_THAT(migrating->message, HasSubstr("has step 2 (0002_totals)"));
  EXPECT_THAT(migrating->message, HasSubstr("it is to go to 1"));
  const auto opening = failure_of([&] { return shop_.open("acme").open_children().cursors; });
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->code, ErrorCode::schema_mismatch);
  EXPECT_THAT(opening->message, HasSubstr("has had 3 migrations, and this program knows 1"));
  EXPECT_EQ(content(), before);
}

TEST_F(TenantMigrationTest, MIG_11_EditedMissingAndDoublyNumberedStepsAreRefusedBeforeATenantIsTouched) {
  const auto before = content();
  TenantMigrations edited = newer_migrations();
  edited.steps[0].sql += " -- edited";
  const auto failure = failure_of([&] { return migrate(edited).to; });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::schema_mismatch);
  EXPECT_THAT(failure->message, HasSubstr("0001_invoice) was edited"));

  TenantMigrations gap = newer_migrations();
  gap.steps.erase(gap.steps.begin() + 1);
  EXPECT_EQ(code_of([&] { migrate(gap); }), ErrorCode::bad_configuration);
  TenantMigrations doubled = newer_migrations();
  doubled.steps[2].number = 2;
  EXPECT_EQ(code_of([&] { migrate(doubled); }), ErrorCode::bad_configuration);
  TenantMigrations without_code{.steps = newer_steps()};
  EXPECT_EQ(code_of([&] { migrate(without_code); }), ErrorCode::bad_configuration);
  TenantMigrations stray = newer_migrations();
  stray.codes["0002_totals"] = fill_half;
  EXPECT_EQ(code_of([&] { migrate(stray); }), ErrorCode::bad_configuration);
  EXPECT_EQ(content(), before);
}

TEST_F(TenantMigrationTest, NobodyElseCommitsBetweenTheSteps) {
  HandleLease other = shop_.open("acme");
  TenantMigrations watched = newer_migrations();
  watched.steps.push_back({4, "0004_more", "create table more(x) strict"});
  std::optional<ErrorCode> met;
  watched.codes["0003_half"] = [&](TenantTransaction&) { EXPECT_EQ(stamped(), TenantState::migrating); };
  TenantMigrated told;
  watched.steps[3].sql = "create table invoice(x)";  // fails, and leaves 3
  EXPECT_EQ(code_of([&] { migrate(watched, {.told = &told}); }), ErrorCode::query_failed);
  EXPECT_EQ(told.steps.size(), 2U);
  shop_.restamp("acme", TenantState::migrating);  // as one that was killed there leaves it
  with_tenant("acme", [&] { met = code_of([&] { static_cast<void>(other->begin()); }); });
  EXPECT_EQ(met, ErrorCode::tenant_not_ready);
  EXPECT_THAT(migrate(newer_migrations()).steps, IsEmpty());
  EXPECT_EQ(stamped(), TenantState::active);
  with_tenant("acme", [&] { met = code_of([&] { static_cast<void>(other->begin()); }); });
  EXPECT_EQ(met, std::nullopt);
}

// What has migrated once is a handle like any other behind it, also where a step threw.
TEST_F(TenantMigrationTest, WhoeverHasMigratedDoesNotCommitBetweenTheStepsOfOthers) {
  HandleLease lease = value_or_raise(shop_.handles.acquire(kAcme, Generation{1}));
  const auto migrates = [&](const TenantMigrations& migrations) {
    with_tenant(kAcme, [&] { migrate_tenant(lease, migrations, shop_.clock.wall()); });
  };
  const auto met = [&] {
    shop_.restamp("acme", TenantState::migrating);
    return with_tenant(kAcme, [&] { return code_of([&] { static_cast<void>(lease->begin()); }); });
  };
  TenantMigrations throwing = newer_migrations();
  throwing.codes["0003_half"] = [](TenantTransaction&) { throw std::runtime_error("no rate"); };
  EXPECT_THROW(migrates(throwing), std::runtime_error);
  EXPECT_EQ(met(), ErrorCode::tenant_not_ready);
  migrates(newer_migrations());
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(met(), ErrorCode::tenant_not_ready);
  migrates(newer_migrations());
  EXPECT_EQ(stamped(), TenantState::active) << "it still heals what was left";
}

TEST_F(TenantMigrationTest, OneThatIsNeitherActiveNorMigratingIsLeftAlone) {
  for (const TenantState state : {TenantState::read_only, TenantState::failed, TenantState::draining}) {
    shop_.restamp("acme", state);
    EXPECT_EQ(code_of([&] { migrate(newer_migrations()); }), ErrorCode::tenant_not_ready);
    EXPECT_EQ(version(), 1);
    EXPECT_EQ(stamped(), state);
  }
}

TEST_F(TenantMigrationTest, MIG_02_KilledAnywhereItGoesOnAndNoStepRunsTwice) {
  const std::filesystem::path path = shop_.path("acme");
  shop_.handles.close_idle();
  const std::filesystem::path original = shop_.folder / "original.db";
  std::filesystem::copy_file(path, original);
  constexpr int kPointsMax = 2000;
  std::vector<int> killed_at_version(4);
  int point = 1;
  for (bool is_killed = true; is_killed; ++point) {
    ASSERT_LT(point, kPointsMax);
    SCOPED_TRACE(point);
    for (const char* const ending : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + ending);
    std::filesystem::copy_file(original, path);
    const int end = in_child([&] {
      int calls = 0;
      const ShimVfs shim([&](const ShimVfs::Event& event) {
        if (event.call != ShimVfs::Call::read && event.call != ShimVfs::Call::unfetch && ++calls == point)
          ::kill(::getpid(), SIGKILL);
        return 0;
      });
      HandleCache handles{files_in(shop_.folder.path()), {}};
      HandleLease lease = value_or_raise(handles.acquire(kAcme, Generation{1}));
      with_tenant(kAcme, [&] { migrate_tenant(lease, newer_migrations(), shop_.clock.wall()); });
      return 0;
    });
    is_killed = end != 0;
    const std::int64_t at = version();
    if (is_killed) ++killed_at_version[static_cast<std::size_t>(at)];
    EXPECT_EQ(ask("select name from sqlite_schema where name = 'invoice_total'").size(), at > 1 ? 1U : 0U);
    EXPECT_EQ(ask("select name from pragma_table_info('invoice') where name = 'half'").size(),
              at > 2 ? 1U : 0U);
    shop_.handles.close_idle();
    const TenantMigrated rest = migrate(newer_migrations());
    EXPECT_EQ(rest.from, at);
    EXPECT_EQ(std::ssize(rest.steps), 3 - at) << "none twice, none left out";
    EXPECT_THAT(ask("select half from invoice order by id"), ElementsAre("5", "15"));
    EXPECT_EQ(stamped(), TenantState::active);
    shop_.handles.close_idle();
  }
  for (std::size_t at = 1; at < killed_at_version.size(); ++at) EXPECT_GT(killed_at_version[at], 0) << at;
}

class OnTouch : public MigratingShop {
 protected:
  Tenants newer(bool migrates) {
    return {shop_.registry,
            shop_.handles,
            shop_.clock,
            {.application = "shop",
             .migrations = newer_steps(),
             .migrate_on_touch = migrates,
             .codes = {{"0003_half", fill_half}}}};
  }
};

TEST_F(OnTouch, WithoutItAnOlderTenantIsPendingMigration) {
  Tenants tenants = newer(false);
  const auto failure = failure_of([&] { return tenants.open(kAcme)->generation(); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::pending_migration);
  EXPECT_THAT(failure->message, HasSubstr("has had 1 of the 3 migrations; next is 0002_totals"));
  EXPECT_EQ(version(), 1);
}

TEST_F(OnTouch, MIG_04_TheFirstTouchMigratesAndConcurrentOpenersSeeTheNewVersion) {
  HandleCache roomy{files_in(shop_.folder.path()), {.application = "shop"}};
  Tenants tenants{shop_.registry,
                  roomy,
                  shop_.clock,
                  {.application = "shop",
                   .migrations = newer_steps(),
                   .migrate_on_touch = true,
                   .codes = {{"0003_half", fill_half}}}};
  constexpr int kOpeners = 8;
  std::vector<std::string> seen(kOpeners);
  {
    std::vector<std::jthread> openers;
    for (int opener = 0; opener < kOpeners; ++opener)
      openers.emplace_back([&, opener] {
        try {
          HandleLease lease =
              tenants.open(kAcme, opener % 2 == 0 ? HandleAccess::read_write : HandleAccess::read_only);
          seen[static_cast<std::size_t>(opener)] = with_tenant(kAcme, [&] {
            return lease->read([](TenantReader& reader) {
              auto rows = reader.query("select sum(half) from invoice");
              rows.next();
              return std::string(rows.row().text(0));
            });
          });
        } catch (const Error& error) {
          seen[static_cast<std::size_t>(opener)] = error.what();
        }
      });
  }
  EXPECT_THAT(seen, ::testing::Each("20"));
  EXPECT_EQ(ask("select name from tenure_migration").size(), 3U);
}

TEST_F(OnTouch, WhoeverHasNoMigrationsIsNotAsked) {
  migrate(newer_migrations());
  Tenants plain{shop_.registry, shop_.handles, shop_.clock, {.application = "shop"}};
  EXPECT_EQ(plain.open(kAcme)->generation(), Generation{1});
}

TEST(HasCode, IsSaidByTheFirstLineAlone) {
  const auto step = [](std::string sql) { return sqlite::Migration{2, "0002_x", std::move(sql)}; };
  EXPECT_TRUE(has_code(step("-- tenure: code")));
  EXPECT_TRUE(has_code(step("-- tenure: code\r\nselect 1")));
  EXPECT_FALSE(has_code(step("-- tenure: coder\nselect 1")));
  EXPECT_FALSE(has_code(step("\n-- tenure: code")));
  EXPECT_FALSE(has_code(step("select 1")));
}

}  // namespace
}  // namespace tenure
