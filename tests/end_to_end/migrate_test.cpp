#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

// A second file of migrations under a daemon and a worker program that know it, and tenants that do not have it yet.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;

class Migrate : public Installation {
 protected:
  Migrate() {
    configure();
    static_cast<void>(client());  // which makes acme, by the first file alone
    close_own();
    std::ofstream(folder_ / "migrations/0002_length.sql")
        << "-- tenure: code\nalter table run add column length integer;\n";
    ::setenv("MIGRATES", "1", 1);
  }
  ~Migrate() override { ::unsetenv("MIGRATES"); }

  [[nodiscard]] std::filesystem::path file() const { return folder_ / "tenants/acme.db"; }
  [[nodiscard]] std::int64_t version() const {
    sqlite::Connection connection{file(), {}};
    return sqlite::schema_version(connection);
  }
};

// Through real processes: the daemon's worker meets the older tenant and gives the job back at no cost, from which on it is held; the same
// program, started by the command, migrates the tenant; the job runs.
TEST_F(Migrate, MIG_03_AJobOfAnOlderTenantIsHeldUntilTheTenantIsMigratedAndStartsAtOnce) {
  auto daemon = start_daemon();
  const queue::JobId job = enqueue(Count{"late"});
  EXPECT_TRUE(wait_until([&] { return record(job).reason == queue::JobReason::schema_behind; }));
  EXPECT_EQ(record(job).state, ShownState::held);
  EXPECT_EQ(record(job).failures + record(job).crashes, 0);
  const queue::JobId behind_it = enqueue(Count{"later"});
  EXPECT_TRUE(wait_until([&] { return record(behind_it).state == ShownState::held; }));
  EXPECT_EQ(record(behind_it).releases, 0) << "it was not tried";
  EXPECT_EQ(tenure({"why", job.text()}), "exit 0");
  EXPECT_THAT(output_, HasSubstr("waits for  a migration of its tenant's database (schema_behind)"));
  EXPECT_THAT(output_, HasSubstr("has had 1 of the 2 migrations; next is 0002_length"));
  EXPECT_THAT(output_, HasSubstr("change     tenure tenant migrate name=acme"));

  EXPECT_EQ(tenure({"tenant", "migrate", "name=acme"}), "exit 1");
  EXPECT_THAT(output_, HasSubstr("--program FILE"));
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(tenure({"tenant", "migrate", "name=acme", "--program", WORKER_PROGRAM}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("1 migrated, 0 failed, 0 left"));
  EXPECT_EQ(version(), 2);
  expect_state(job, ShownState::succeeded);
  expect_state(behind_it, ShownState::succeeded);
  EXPECT_EQ(record(job).releases, 1);
  EXPECT_EQ(runs_of("late"), 1);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
