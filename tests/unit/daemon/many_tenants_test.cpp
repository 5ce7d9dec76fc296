#include "simulated.hpp"
#include "support/forwarding_store.hpp"
#include "support/sqlite_steps.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>

// A whole daemon among more tenants than it can look at one by one, over a control database whose work is counted in steps of SQLite's
// machine, which are the same on every computer. No tenant has a file, nor is there a folder for them.
namespace tenure::daemon {
namespace {

using testing::SqliteSteps;

// TENURE_TEST_TENANTS asks for more, never for fewer.
int many_tenants() {
  const char* asked = std::getenv("TENURE_TEST_TENANTS");
  return std::max(3'000, asked == nullptr ? 0 : std::atoi(asked) / 1'000 * 1'000);
}

// Of 50 to 200 ns each: 50 ms on a slow machine.
constexpr std::int64_t kStepsOfFiftyMs = 250'000;

// Keeps what the dearest commit has cost.
class MeasuredStore final : public testing::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  std::int64_t steps_max = 0;
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    const std::int64_t before = SqliteSteps::steps();
    ForwardingStore::write(durability, work);
    steps_max = std::max(steps_max, SqliteSteps::steps() - before);
  }
};

// Tenants t1, t2, ... of which one in ten is active, or all are.
class ManyTenants : private SqliteSteps {
 public:
  using SqliteSteps::steps;
  ManyTenants(int tenants, simulation::Options options, bool are_gated = false) : tenants_(tenants) {
    options.journal_bytes = 0;
    sqlite::Connection connection(path_, {.access = sqlite::Access::read_write});
    connection.execute(
        {"make_tenants", "with recursive n(i) as (select 1 union all select i + 1 from n where i < " +
                             std::to_string(tenants) +
                             ") insert into tenant(name, generation, state, created_us) select 't' || i, 1, "
                             "iif(i % 10 = 0 or " +
                             std::string(are_gated ? "0" : "1") + ", 2, 3), 0 from n"});
    world.emplace(store, std::move(options));
  }
  // So many of each tenant.
  void enqueue(int jobs) {
    std::vector<queue::NewJob> drafts;
    for (int job = 0; job < jobs; ++job)
      for (int tenant = 1; tenant <= tenants_; ++tenant)
        drafts.push_back({.id = queue::JobId{ids_.next(world->wall())},
                          .tenant = TenantName{"t" + std::to_string(tenant)},
                          .generation = {},
                          .queue = "default",
                          .kind = "job",
                          .due = world->wall(),
                          .attempts_max = 3,
                          .arguments = "{}"});
    for (std::size_t done = 0; done < drafts.size();)
      store.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
        for (int each = 0; each < 1'000 && done < drafts.size(); ++each)
          static_cast<void>(value_or_raise(writer.enqueue(drafts[done++], world->wall())));
      });
  }
  // A job's share, behind the first hundred.
  double steps_of_claim(std::size_t jobs) {
    const auto have_started = [&](std::size_t count) {
      EXPECT_TRUE(world->run_until([&] { return world->starts.size() >= count; }, 1h));
    };
    have_started(100);
    const std::int64_t before = steps();
    have_started(100 + jobs);
    return static_cast<double>(steps() - before) / static_cast<double>(jobs);
  }

 private:
  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "control.db";
  VirtualClock clock_;
  UuidGenerator ids_{7};
  int tenants_;
  std::unique_ptr<queue::Store> opened_ = queue::open_sqlite_store({.path = path_, .create = true}, clock_);

 public:
  MeasuredStore store{*opened_};
  std::optional<simulation::Simulation> world;
};

simulation::Options four_slots() {
  auto options = one_pool(1, 4);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 10ms}; };
  return options;
}

double steps_of_claim_among(bool are_gated) {
  ManyTenants tenants(many_tenants(), four_slots(), are_gated);
  tenants.enqueue(5);
  tenants.world->start();
  return tenants.steps_of_claim(1'200);
}

TEST(AmongManyTenants, CLM_17_AClaimCostsAtMostTwiceAsMuchWhereNineOfTenWithWorkAreGated) {
  const double none = steps_of_claim_among(false);
  const double most = steps_of_claim_among(true);
  EXPECT_GT(none, 10);
  EXPECT_LE(most, 2 * none);
}

struct IdleMinute {
  std::int64_t rounds = 0, wake_ups = 0, steps = 0, steps_of_page = 0;
};

IdleMinute idle_minute(int tenants) {
  ManyTenants known(tenants, four_slots());
  known.world->start();
  known.world->run_for(10s);
  const std::int64_t rounds = known.world->rounds;
  const std::int64_t before = ManyTenants::steps();
  IdleMinute idle;
  known.world->on_step = [&](const Event&, const Actions&) { ++idle.wake_ups; };
  known.world->run_for(1min);
  idle.rounds = known.world->rounds - rounds;
  idle.steps = ManyTenants::steps() - before;
  known.store.read([&](queue::JobReader& reader) {
    EXPECT_EQ(reader.tenants(std::nullopt, 50).size(), static_cast<std::size_t>(std::min(tenants, 50)));
  });
  idle.steps_of_page = ManyTenants::steps() - before - idle.steps;
  return idle;
}

// That `tenured` as a whole opens none of their files is in the end-to-end tests.
TEST(AmongManyTenants, REG_23_IdleOnesCostWhatFewDoAndTheirFirstPageIsThereAtOnce) {
  const IdleMinute few = idle_minute(100);
  const IdleMinute many = idle_minute(many_tenants());
  EXPECT_EQ(many.rounds, few.rounds);
  EXPECT_EQ(many.wake_ups, few.wake_ups);
  EXPECT_EQ(many.steps, few.steps);
  // Of 300 ms, a half percent of a minute: a step takes 50 to 200 ns, a wake-up with its system calls some 50 us.
  EXPECT_LE(many.steps / 5'000 + many.wake_ups / 20, 300);
  EXPECT_LE(many.steps_of_page, 2 * few.steps_of_page);
  EXPECT_LE(many.steps_of_page, 4 * kStepsOfFiftyMs);
}

TEST(AmongManyTenants, SCH_15_ATickOfEachTenantOpensNoneOfTheirFilesAndNoRoundKeepsOthersWaiting) {
  queue::ScheduleEntry entry;
  entry.name = "nightly";
  entry.kind = "job";
  entry.rule.every = 1h;
  entry.scope = queue::ScheduleScope::each_tenant;
  auto options = four_slots();
  options.knows_ticks = false;
  options.settings.schedules.emplace();
  options.settings.schedules->push_back({entry});
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 100us}; };
  ManyTenants tenants(many_tenants(), std::move(options));
  tenants.world->start();
  tenants.world->run_for(10s);
  tenants.store.steps_max = 0;
  std::set<std::string> performed;
  const auto is_done = [&] {
    for (std::size_t at = performed.size(); at < tenants.world->starts.size(); ++at)
      performed.insert(tenants.world->starts[at].tenant);
    return std::ssize(performed) == many_tenants();
  };
  ASSERT_TRUE(tenants.world->run_until(is_done, 2h));
  EXPECT_LE(tenants.store.steps_max, kStepsOfFiftyMs / 2)
      << "another claim waits for one round and is in the next";
}

}  // namespace
}  // namespace tenure::daemon
