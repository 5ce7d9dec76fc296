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

// Through real processes: the daemon's worker meets the older tenant and gives the job back at no cost; the same program, started by
// the command, migrates it; the job runs.
TEST_F(Migrate, AJobOfAnOlderTenantWaitsAtNoCostUntilTheTenantIsMigrated) {
  auto daemon = start_daemon();
  const queue::JobId job = enqueue(Count{"late"});
  EXPECT_TRUE(wait_until([&] { return record(job).releases > 0; }));
  EXPECT_EQ(record(job).failures, 0);
  ASSERT_FALSE(attempts(job).empty());
  EXPECT_EQ(attempts(job).front().error_code, ErrorCode::pending_migration);

  EXPECT_EQ(tenure({"tenant", "migrate", "name=acme"}), "exit 1");
  EXPECT_THAT(output_, HasSubstr("--program FILE"));
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(tenure({"tenant", "migrate", "name=acme", "--program", WORKER_PROGRAM}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("1 migrated, 0 failed, 0 left"));
  EXPECT_EQ(version(), 2);
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(runs_of("late"), 1);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
}

}  // namespace
}  // namespace tenure::testing
