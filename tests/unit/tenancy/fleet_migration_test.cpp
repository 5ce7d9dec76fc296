#include "migrating_shop.hpp"

#include <tenure/tenancy/fleet_migration.hpp>
#include <tenure/tenancy/migration_request.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace tenure {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace testing;  // NOLINT

class FleetMigration : public MigratingShop {
 protected:
  FleetMigration() {
    for (const char* const name : {"bolt", "corvid", "dodo"}) make(name);
    for (const char* const name : {"acme", "bolt", "corvid", "dodo"})
      tenants_.push_back({TenantName{name}, Generation{1}});
    shop_.handles.close_idle();
  }
  std::map<std::string, TenantResult> run(const TenantMigrations& migrations,
                                          const FleetOptions& options = {}) {
    HandleCache handles{files_in(shop_.folder.path()), {.application = "shop"}};
    std::map<std::string, TenantResult> results;
    migrate_tenants(handles, migrations, shop_.clock, tenants_, options,
                    [&](const TenantResult& result) { results.emplace(result.tenant.text(), result); });
    return results;
  }
  [[nodiscard]] std::string bytes(std::string_view name) const {
    std::ifstream file(shop_.path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::vector<TenantToMigrate> tenants_;
};

TenantMigrations failing_for(std::string_view tenant) {
  TenantMigrations migrations = newer_migrations();
  migrations.codes["0003_half"] = [tenant = std::string(tenant)](TenantTransaction& transaction) {
    if (transaction.tenant().text() == tenant) throw std::runtime_error("odd data");
    fill_half(transaction);
  };
  return migrations;
}

TEST_F(FleetMigration, OneThatFailsStopsNoOtherAndEveryResultIsTold) {
  const auto results = run(failing_for("bolt"));
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results.at("bolt").failure->message, "std::runtime_error: odd data");
  EXPECT_THAT(results.at("bolt").done.steps, ElementsAre("0002_totals"));
  for (const char* const name : {"acme", "corvid", "dodo"}) {
    EXPECT_FALSE(results.at(name).failure) << name;
    EXPECT_EQ(version(name), 3) << name;
  }
  EXPECT_EQ(version("bolt"), 2);
}

// Each code waits for as many others as may be there, and tells of one too many.
TEST_F(FleetMigration, MIG_13_NeverMoreThanSoManyAtATimeWithTheSameResult) {
  constexpr int kAtATime = 2;
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int most = 0;
  std::set<std::thread::id> threads;
  TenantMigrations migrations = newer_migrations();
  migrations.codes["0003_half"] = [&](TenantTransaction& transaction) {
    std::unique_lock lock{mutex};
    most = std::max(most, ++inside);
    threads.insert(std::this_thread::get_id());
    changed.notify_all();
    changed.wait(lock, [&] { return most >= kAtATime; });
    lock.unlock();
    fill_half(transaction);
    lock.lock();
    --inside;
  };
  const auto results = run(migrations, {.threads = kAtATime});
  EXPECT_EQ(most, kAtATime);
  EXPECT_EQ(threads.size(), static_cast<std::size_t>(kAtATime)) << "each has one tenant at a time";
  for (const auto& [name, result] : results) {
    EXPECT_FALSE(result.failure) << name;
    EXPECT_THAT(ask("select half from invoice order by id", name), ElementsAre("5", "15")) << name;
  }
  EXPECT_EQ(results.size(), tenants_.size());
}

TEST_F(FleetMigration, MIG_06_ADryRunWorksOnACopyAndLeavesTheTenantsBytes) {
  std::map<std::string, std::string> before;
  for (const TenantToMigrate& tenant : tenants_) before[tenant.name.text()] = bytes(tenant.name.text());
  const std::filesystem::path scratch = shop_.folder / "scratch";
  std::filesystem::create_directory(scratch);
  const auto results = run(failing_for("bolt"), {.scratch = scratch});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_TRUE(results.at("bolt").failure);
  EXPECT_THAT(results.at("acme").done.steps, ElementsAre("0002_totals", "0003_half"));
  for (const auto& [name, content] : before) EXPECT_TRUE(bytes(name) == content) << name;
  EXPECT_THAT(files_under(scratch), IsEmpty());
}

TEST_F(FleetMigration, NothingIsTouchedWhereTheStepsAreWrong) {
  TenantMigrations stray = newer_migrations();
  stray.codes["0009_nothing"] = fill_half;
  EXPECT_EQ(code_of([&] { run(stray); }), ErrorCode::bad_configuration);
  EXPECT_EQ(code_of([&] { run(newer_migrations(), {.threads = 0}); }), ErrorCode::bad_options);
  EXPECT_EQ(code_of([&] { run(newer_migrations(), {.threads = kMigrationThreadsMax + 1}); }),
            ErrorCode::bad_options);
  EXPECT_EQ(version(), 1);
}

TEST_F(FleetMigration, WhatAListenerThrowsEndsTheRun) {
  HandleCache handles{files_in(shop_.folder.path()), {.application = "shop"}};
  int told = 0;
  EXPECT_THROW(migrate_tenants(handles, newer_migrations(), shop_.clock, tenants_, {},
                               [&](const TenantResult&) {
                                 ++told;
                                 throw std::runtime_error("standard output went away");
                               }),
               std::runtime_error);
  EXPECT_EQ(told, 1);
}

TEST(Waves, EndBehindTheirPartOfTheTenants) {
  EXPECT_THAT(wave_ends("1%,10%,100%", 2004), ElementsAre(21, 201, 2004));
  EXPECT_THAT(wave_ends("100%", 0), ElementsAre(0));
  EXPECT_THAT(wave_ends("50%,100%", 1), ElementsAre(1, 1));
  for (const std::string bad : {"", "100", "10%", "10%,5%,100%", "0%,100%", "101%", "100%,100%", "10%,,100%",
                                "10%,100%,", "x%", "-1%,100%"})
    EXPECT_EQ(code_of([&] { static_cast<void>(wave_ends(bad, 10)); }), ErrorCode::bad_options) << bad;
}

TEST(MigrationRequest, IsReadAsItWasWritten) {
  const MigrationRequest request{.application = "shop",
                                 .tenants_path = "/srv/%{bucket}/%{tenant}.db",
                                 .migrations = "/srv/migrations",
                                 .descriptors_max = 64,
                                 .options = {.to = 3, .threads = 4, .scratch = "/tmp/x"},
                                 .tenants = {{TenantName{"acme"}, Generation{2}}}};
  const auto read = read_migration_request(request_text(request));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(request_text(*read), request_text(request));
  EXPECT_EQ(read->tenants.front().generation, Generation{2});
  EXPECT_FALSE(read_migration_request("{}"));
  EXPECT_FALSE(read_migration_request("["));
}

TEST(MigrationReport, LeavesOutALineThatIsCutOff) {
  const TenantResult done{TenantName{"acme"}, {1, 3, {"0002_totals", "0003_half"}}};
  const TenantResult failed{TenantName{"bolt"}, {1, 3, {}}, Failure{ErrorCode::disk, "full", "", "line 3"}};
  const std::string text = std::string(kMigrationHello) + result_line(done) + result_line(failed);
  const auto whole = read_migration_report(text + R"({"tenant":"cor)");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->has_begun);
  ASSERT_EQ(whole->results.size(), 2U);
  EXPECT_EQ(whole->results[0].done.steps, done.done.steps);
  EXPECT_EQ(whole->results[1].failure->code, ErrorCode::disk);
  EXPECT_EQ(whole->results[1].failure->where, "line 3");
  EXPECT_FALSE(whole->refusal);
  const auto refused =
      read_migration_report(text + refusal_line({ErrorCode::bad_configuration, "no folder"}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal->message, "no folder");
  EXPECT_FALSE(read_migration_report("").value().has_begun);
  EXPECT_FALSE(read_migration_report(std::string(kMigrationHello) + "{\n"));
}

}  // namespace
}  // namespace tenure
