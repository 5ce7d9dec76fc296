#include "handlers.hpp"

#include <tenure/testing/job_test.hpp>
#include <tenure/testing/replay.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

// The tests of debtrack, by the test kit; and one of each capsule, where the working folder has a folder `capsules`.
namespace {

using namespace debtrack;

class Debtrack : public tenure::testing::JobTest {
 protected:
  Debtrack()
      : JobTest({.application = "debtrack", .migrations = tenure::read_migrations(DEBTRACK_MIGRATIONS)}) {
    add_jobs(jobs());
  }

  std::vector<std::string> ask(const char* sql) {
    return tenants().open_current()->read([&](tenure::TenantReader& reader) {
      std::vector<std::string> rows;
      for (const tenure::TenantRow& row : reader.query(sql)) rows.emplace_back(row.text(0));
      return rows;
    });
  }
  static ImportPackage hello() {
    return {.name = "hello",
            .version = "2.10-3",
            .architecture = "amd64",
            .section = "devel",
            .summary = "example package",
            .installed_kib = 280};
  }
};

TEST_F(Debtrack, ImportsEachPackageOnce) {
  const std::vector<ImportPackage> packages{
      hello(), {.name = "sl", .version = "5.02-1", .architecture = "amd64", .summary = "a steam engine"}};
  client().enqueue_all<ImportPackage>(packages, {}, tenure::BulkRule::all_or_nothing);
  EXPECT_TRUE(enqueued<ImportPackage>({.queue = "imports", .times = 2}));
  EXPECT_EQ(drain().succeeded(), 2U);
  EXPECT_EQ(ask("select name || ': ' || summary from package order by name"),
            (std::vector<std::string>{"hello: Example package", "sl: A steam engine"}));
}

TEST_F(Debtrack, APackageWithoutASummaryIsImported) {
  ImportPackage odd = hello();
  odd.summary = "";
  client().enqueue(odd);
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(ask("select summary from package"), std::vector<std::string>{""});
}

TEST_F(Debtrack, ImportsAreSafeToRepeat) { EXPECT_TRUE(crash_everywhere(hello())); }

// What the first version of debtrack has made, the second one finds.
TEST_F(Debtrack, ATenantOfTheFirstVersionWaitsForItsShelves) {
  const tenure::TenantName team{"first-version"};
  world().make_tenant_of(team, 1);
  tenure::with_tenant(team, tenure::AllowSwap{}, [&] { client().enqueue(hello()); });
  EXPECT_EQ(drain().succeeded(), 0U);
  world().migrate(team);
  EXPECT_EQ(advance(std::chrono::minutes(1)).succeeded(), 1U);
}

TEST_F(Debtrack, PackagesLieOnTheirShelves) {
  EXPECT_EQ(shelf_of("hello"), "h");
  EXPECT_EQ(shelf_of("libxml2"), "libx");
  client().enqueue(hello());
  drain();
  tenants().open_current()->write([](tenure::TenantTransaction& transaction) {
    transaction.execute("update package set shelf = ''");
    fill_shelves(transaction);
  });
  EXPECT_EQ(ask("select shelf from package"), std::vector<std::string>{"h"});
}

TEST_F(Debtrack, ADigestTellsOfTheLargestPackage) {
  client().enqueue(hello());
  drain();
  client().enqueue(Summarise{});
  EXPECT_EQ(drain().succeeded(), 1U);
  const auto largest =
      tenants().open_current()->read([](tenure::TenantReader& reader) { return reader.ref<Package>(1); });
  client().enqueue(WriteDigest{largest});
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(
      ask("select text from digest"),
      std::vector<std::string>{"1 packages, 0 MiB installed; the largest is hello 2.10-3 (Example package)"});
}

TEST_F(Debtrack, ADigestBeforeTheSummaryFailsAndSaysSo) {
  client().enqueue(hello());
  drain();
  const auto largest =
      tenants().open_current()->read([](tenure::TenantReader& reader) { return reader.ref<Package>(1); });
  client().enqueue(WriteDigest{largest});
  const tenure::testing::Runs runs = drain();
  ASSERT_EQ(runs.failed(), 1U);
  EXPECT_NE(runs.front().failure->error.find("there is no summary yet"), std::string::npos);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tenure::JobRegistry jobs;
  add_jobs(jobs);
  if (std::filesystem::is_directory("capsules")) tenure::testing::replay_folder("capsules", jobs);
  return RUN_ALL_TESTS();
}
