#include "tenant_files.hpp"

#include <tenure/queue/store.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

// Tenants whose database an operator puts back from a copy, while others work.
namespace tenure::testing {
namespace {

namespace fs = std::filesystem;

using queue::JobId;
using queue::JobReason;
using queue::ShownState;

class TenantRestoreTest : public TenantFilesTest {
 protected:
  void back_up() { ASSERT_EQ(tenure({"tenant", "backup", "acme", copy()}), "exit 0") << output_; }
  [[nodiscard]] std::string copy() const { return (folder_ / "acme-copy.db").string(); }
  std::string restore() { return tenure({"tenant", "restore", "acme", copy(), "--yes", "--drain", "5s"}); }

  static constexpr sqlite::Query kRows{"all_rows", "select count(*) from run"};
  static constexpr sqlite::Query kForeign{"foreign_rows",
                                          "select count(*) from run where name not like 'beta-%'"};
};

TEST_F(TenantRestoreTest, REG_19_OldClaimsAreVoidWhatWaitsIsBlockedAndAnOperatorDecidesForEach) {
  configure();
  auto daemon = start_daemon();
  expect_state(enqueue(Count{"before"}), ShownState::succeeded);
  back_up();
  const JobId since = enqueue(Count{"since"});
  expect_state(since, ShownState::succeeded);
  const JobId runs = enqueue(Wait{.name = "runs", .obeys_stop = true});
  static_cast<void>(wait_for_start_of("runs"));
  const queue::ClaimRef claim{record(runs).seq, *record(runs).claim};
  const JobId restamped = enqueue(Count{"restamped"}, {.run_in = std::chrono::hours{1}});
  const JobId cancelled = enqueue(Count{"cancelled"}, {.run_in = std::chrono::hours{1}});
  const JobId left = enqueue(Count{"left"}, {.run_in = std::chrono::hours{1}});
  ASSERT_EQ(restore(), "exit 0") << output_;
  EXPECT_EQ(tenant().generation, Generation{2});
  EXPECT_EQ(tenant().state, TenantState::active);
  EXPECT_EQ(rows_in(file(), "before"), 1);
  EXPECT_EQ(rows_in(file(), "since"), 0);
  EXPECT_EQ(rows_in(buried(1), "since"), 1);
  store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    EXPECT_FALSE(writer.finish_succeeded(claim, from_us(0))) << "its claim is void";
  });
  for (const JobId id : {restamped, cancelled, left}) {
    EXPECT_EQ(record(id).state, ShownState::blocked);
    EXPECT_EQ(record(id).reason, JobReason::generation);
  }
  ASSERT_EQ(tenure({"tenant", "reconcile", "acme"}), "exit 0") << output_;
  for (const JobId id : {restamped, cancelled, left, since})
    EXPECT_NE(output_.find(id.text()), std::string::npos) << output_;

  ASSERT_EQ(tenure({"tenant", "reconcile", "acme", "id=" + restamped.text(), "--restamp", "--yes"}), "exit 0")
      << output_;
  ASSERT_EQ(tenure({"tenant", "reconcile", "acme", "id=" + cancelled.text(), "--cancel", "--yes"}), "exit 0")
      << output_;
  ASSERT_EQ(tenure({"tenant", "reconcile", "acme", "id=" + since.text(), "--rerun", "--yes"}), "exit 0")
      << output_;
  ASSERT_EQ(tenure({"job", "run", restamped.text()}), "exit 0") << output_;
  expect_state(restamped, ShownState::succeeded);
  expect_state(since, ShownState::succeeded);
  EXPECT_EQ(runs_of("restamped"), 1);
  EXPECT_EQ(runs_of("since"), 1);
  EXPECT_EQ(record(cancelled).state, ShownState::cancelled);
  EXPECT_EQ(record(left).state, ShownState::blocked);
  EXPECT_EQ(record(left).generation, Generation{1});
  stop(*daemon);
}

TEST_F(TenantRestoreTest, AProcessThatWasStoppedWithAnOpenHandleCommitsNothingAnyMore) {
  configure();
  static_cast<void>(store());
  close_own();
  back_up();
  Process ghost({GHOST, config_file()}, folder_ / "ghost");
  ASSERT_TRUE(wait_until([&] { return is_stopped(ghost.pid()); })) << ghost.output();
  ASSERT_EQ(restore(), "exit 0") << output_;
  const std::string before = bytes_of(file());
  ghost.signal(SIGCONT);
  EXPECT_EQ(ghost.wait(), "exit 0");
  const std::string said = ghost.output();
  EXPECT_NE(said.find("before: committed"), std::string::npos) << said;
  EXPECT_EQ(said.find("write: committed"), std::string::npos) << said;
  EXPECT_EQ(said.find("outbox: committed"), std::string::npos) << said;
  EXPECT_EQ(bytes_of(file()), before) << "and its end took nothing of the new generation's with it";
  EXPECT_FALSE(fs::exists(file().string() + "-wal"));
  EXPECT_EQ(rows_in(buried(1), "before"), 1) << "what it had committed is kept";
  EXPECT_EQ(rows_in(buried(1), "after"), 0);
  EXPECT_EQ(rows_in(file(), "before"), 0);
  EXPECT_EQ(rows_in(file(), "after"), 0);
}

TEST_F(TenantRestoreTest, KilledAtAnyWriteSyncOrRenameTheOldOrTheNewIsWholeAndTheSameCommandGoesOn) {
  configure();
  const JobId waits = enqueue(Count{"waits"}, {.run_in = std::chrono::hours{1}});
  close_own();
  back_up();
  const auto restoring = [&](int) {
    return std::vector<std::string>{"tenant", "restore", "acme", copy(), "--yes"};
  };
  const int killed = kill_everywhere(restoring, [&](int point) {
    const Generation at_death = tenant().generation;
    if (tenant().state == TenantState::active) {
      ASSERT_EQ(number_in(file(), kRows), 0) << point << ": old or new, it is whole";
    }
    close_own();
    ASSERT_EQ(restore(), "exit 0") << point << ": " << output_;
    ASSERT_EQ(number_in(file(), kRows), 0) << point;
    ASSERT_EQ(tenant().state, TenantState::active) << point;
    ASSERT_GE(tenant().generation, at_death) << point;
    ASSERT_EQ(record(waits).reason, JobReason::generation) << point;
    close_own();
    ASSERT_EQ(tenure({"doctor", "stamps", "tenants"}), "exit 0") << point << ": " << output_;
    ASSERT_EQ(output_.find(".building"), std::string::npos) << point << ": " << output_;
  });
  EXPECT_GT(killed, 20);
  ASSERT_EQ(tenure({"tenant", "reconcile", "acme", "--restamp", "--yes"}), "exit 0") << output_;
  EXPECT_EQ(record(waits).state, ShownState::scheduled);
  EXPECT_EQ(record(waits).generation, tenant().generation);
}

TEST_F(TenantRestoreTest, KilledAtAnyWriteSyncOrRenameACloneIsWholeOrNotThere) {
  configure();
  close_own();
  const auto name_at = [](int point) { return "clone-" + std::to_string(point); };
  const auto cloning = [&](int point) {
    return std::vector<std::string>{"tenant", "clone", "acme", name_at(point)};
  };
  const int killed = kill_everywhere(cloning, [&](int point) {
    const std::string clone = name_at(point);
    const std::string again = tenure({"tenant", "clone", "acme", clone});
    const bool was_there = output_.find("TenantExists") != std::string::npos;
    ASSERT_TRUE(again == "exit 0" || was_there) << point << ": " << output_;
    ASSERT_EQ(number_in(file(clone), kRows), 0) << point;
    ASSERT_EQ(tenure({"doctor", "stamps"}), "exit 0") << point << ": " << output_;
  });
  EXPECT_GT(killed, 8);
}

// Whoever enqueues while it is drained is refused; what was acknowledged is done once, and in its own tenant.
TEST_F(TenantRestoreTest, UnderLoadNoRowIsLostDoubledOrAnothers) {
  configure();
  ASSERT_EQ(tenure({"tenant", "create", "beta"}), "exit 0") << output_;
  auto daemon = start_daemon();
  std::atomic<bool> goes_on{true};
  const auto enqueue_all = [&](const std::string& name, std::vector<std::pair<std::string, JobId>>& taken) {
    for (int each = 0; goes_on; ++each) {
      const std::string job = name + "-" + std::to_string(each);
      try {
        taken.emplace_back(job, with_tenant(name, [&] { return JobId{client().enqueue(Count{job})}; }));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::tenant_not_ready) throw;
        std::this_thread::yield();
      }
    }
  };
  static_cast<void>(client());
  std::vector<std::pair<std::string, JobId>> acme, beta;
  std::thread of_acme([&] { enqueue_all("acme", acme); });
  std::thread of_beta([&] { enqueue_all("beta", beta); });
  EXPECT_TRUE(wait_until([&] { return runs_of("acme-5") == 1; }));
  EXPECT_EQ(tenure({"tenant", "backup", "acme", copy()}), "exit 0") << output_;
  EXPECT_EQ(restore(), "exit 0") << output_;
  EXPECT_TRUE(wait_until([&] {
    bool has_new = false;
    store().read([&](queue::JobReader& reader) {
      has_new = reader.tenant(TenantName{"acme"})->tenant.generation == Generation{2};
    });
    return has_new;
  }));
  goes_on = false;
  of_acme.join();
  of_beta.join();
  EXPECT_EQ(tenure({"tenant", "reconcile", "acme", "--restamp", "--rerun", "--yes"}), "exit 0") << output_;
  for (const auto& [name, id] : acme) expect_state(id, ShownState::succeeded);
  for (const auto& [name, id] : beta) expect_state(id, ShownState::succeeded);
  stop(*daemon);
  for (const auto& [name, id] : acme) ASSERT_EQ(rows_in(file(), name), 1) << name;
  EXPECT_EQ(number_in(file(), kRows), std::ssize(acme));
  EXPECT_EQ(number_in(file("beta"), kRows), std::ssize(beta));
  EXPECT_EQ(number_in(file("beta"), kForeign), 0);
}

}  // namespace
}  // namespace tenure::testing
