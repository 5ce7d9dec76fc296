#include "installation.hpp"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace tenure::testing {
namespace {

using queue::ShownState;

constexpr int kJobs = 40;

// Jobs that wait while their tenant's file is not what it should be, and what is left of them when it is again.
class TroubleTest : public Installation {
 protected:
  TroubleTest() { configure({.slots = 4}); }

  void enqueue_jobs() {
    for (int i = 0; i < kJobs; ++i) jobs_.push_back(enqueue(Count{name_of(i)}, {.attempts_max = 1}));
  }
  // Until the trouble was met, and once more after that.
  void wait_until_met() {
    EXPECT_TRUE(wait_until([&] {
      std::int64_t releases = 0;
      for (const queue::JobId job : jobs_) releases += record(job).releases;
      return releases > 4;
    }));
  }
  void expect_all_done_unharmed() {
    for (int i = 0; i < kJobs; ++i) {
      const queue::JobId job = jobs_.at(static_cast<std::size_t>(i));
      expect_state(job, ShownState::succeeded);
      EXPECT_EQ(record(job).failures, 0);
      EXPECT_EQ(record(job).crashes, 0);
      EXPECT_EQ(runs_of(name_of(i)), 1);
    }
  }
  static std::string name_of(int number) { return fmt::format("count-{}", number); }
  [[nodiscard]] std::filesystem::path tenants() const { return folder_ / "tenants"; }

 private:
  std::vector<queue::JobId> jobs_;
};

TEST_F(TroubleTest, AFolderOfTenantsThatGoesAwayCostsNoAttempt) {
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::filesystem::rename(tenants(), folder_ / "away");
  enqueue_jobs();
  wait_until_met();
  std::filesystem::rename(folder_ / "away", tenants());
  expect_all_done_unharmed();
}

TEST_F(TroubleTest, AFileOfAnotherTenantInItsPlaceCostsNoAttempt) {
  client().tenants().create(TenantName{"bolt"});
  const auto daemon = start_daemon();
  std::filesystem::rename(tenants() / "acme.db", tenants() / "away.db");
  std::filesystem::copy_file(tenants() / "bolt.db", tenants() / "acme.db");
  enqueue_jobs();
  wait_until_met();
  std::filesystem::rename(tenants() / "away.db", tenants() / "acme.db");
  expect_all_done_unharmed();
}

// The worker process leaves, since no later sync of it could be believed, and another one takes the job up.
TEST_F(TroubleTest, ASyncThatFailsAtATenantsCommitCostsNoAttempt) {
  const auto daemon = start_daemon();
  const auto fault = folder_ / "fail-sync-acme";
  std::ofstream(fault) << "now\n";
  const auto job = enqueue(Count{"unsynced"}, {.attempts_max = 1});
  ASSERT_TRUE(wait_until([&] { return daemon->output().find("worker.sync_failed") != std::string::npos; }));
  std::filesystem::remove(fault);
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(record(job).failures, 0);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(runs_of("unsynced"), 1);
}

// By itself a worker program dispatches too, and what it may not promise it does not go on with.
TEST_F(TroubleTest, ASyncThatFailsAtATenantsCommitEndsAProgramThatRunsByHandWithItsCode) {
  auto alone = start_alone();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::ofstream(folder_ / "fail-sync-acme") << "now\n";
  const auto job = enqueue(Count{"unsynced"}, {.attempts_max = 1});
  EXPECT_EQ(alone->wait(), "exit 74");
  std::filesystem::remove(folder_ / "fail-sync-acme");
  alone = start_alone();
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(record(job).failures, 0);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(runs_of("unsynced"), 1);
}

TEST_F(TroubleTest, ASyncOfTheControlDatabaseThatFailsEndsTheDispatcherWithItsCode) {
  auto alone = start_alone();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::ofstream(folder_ / "fail-sync-control") << "now\n";
  const auto job = enqueue(Count{"unsynced"}, {.attempts_max = 1});
  EXPECT_EQ(alone->wait(), "exit 74");
  EXPECT_NE(alone->output().find("store.lost"), std::string::npos) << alone->output();
  std::filesystem::remove(folder_ / "fail-sync-control");
  alone = start_alone();
  expect_state(job, ShownState::succeeded);
  EXPECT_EQ(record(job).failures, 0);
  EXPECT_EQ(record(job).crashes, 0);
  EXPECT_EQ(runs_of("unsynced"), 1);
}

TEST_F(TroubleTest, ALogThatIsRemovedCostsNoAttempt) {
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  std::filesystem::remove(tenants() / "acme.db-wal");
  enqueue_jobs();
  expect_all_done_unharmed();
}

}  // namespace
}  // namespace tenure::testing
