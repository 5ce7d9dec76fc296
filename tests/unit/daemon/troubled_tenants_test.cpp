#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Tenants whose files cannot be used, among others.
namespace tenure::daemon {
namespace {

// What a worker process reports of such a file, and for how long a slot had the job.
struct Trouble {
  std::string_view tenant;
  ErrorCode code;
  std::chrono::microseconds run_time;
};
// Whoever waits for a lock of others waits for 100 ms in a worker process.
constexpr std::array kTroubles{
    Trouble{"corrupt", ErrorCode::tenant_unavailable, 500us},
    Trouble{"locked", ErrorCode::tenant_busy, 100ms},
    Trouble{"missing", ErrorCode::tenant_unavailable, 200us},
    Trouble{"full", ErrorCode::disk, 10ms},
};
constexpr std::array<std::string_view, 4> kOthers{"acme", "bolt", "corvid", "dunder"};
constexpr std::size_t kBacklog = 2'500;
constexpr auto kWatched = 20s;

const Trouble* trouble_of(std::string_view tenant) {
  const auto* const found = std::ranges::find(kTroubles, tenant, &Trouble::tenant);
  return found == kTroubles.end() ? nullptr : &*found;
}

struct Troubled : Simulated {
  explicit Troubled(bool has_troubles) : Simulated(options()) {
    for (const std::string_view tenant : kOthers) begin(tenant);
    if (has_troubles)
      for (const Trouble& trouble : kTroubles) begin(trouble.tenant);
    world.start();
    world.run_for(kWatched);
  }
  static simulation::Options options() {
    auto options = one_pool(2, 2);
    options.perform = [](const queue::ClaimedJob& job) {
      const Trouble* const trouble = trouble_of(job.tenant->text());
      if (trouble == nullptr) return simulation::Performance{.run_time = 10ms};
      return simulation::Performance{.run_time = trouble->run_time,
                                     .result = RunResult::failed,
                                     .failure = {trouble->code, std::string{trouble->tenant} + " it is"}};
    };
    return options;
  }
  void begin(std::string_view tenant) {
    world.create_tenant(std::string{tenant});
    jobs[tenant] = world.enqueue_many({.tenant = std::string{tenant}}, kBacklog, false);
  }
  [[nodiscard]] std::int64_t starts_of(std::string_view tenant) const {
    return std::ranges::count(world.starts, tenant, &simulation::Start::tenant);
  }

  std::map<std::string_view, std::vector<queue::JobId>> jobs;
};

TEST(TroubledTenants, REG_15_OthersKeepTheirRateAndEachOfTheseSaysWhy) {
  const Troubled alone(false);
  const Troubled beside(true);
  for (const std::string_view tenant : kOthers)
    EXPECT_GE(beside.starts_of(tenant), alone.starts_of(tenant) * 9 / 10) << tenant;
  EXPECT_GT(alone.starts_of("acme"), 1'800) << "they have used their slots";
  for (const Trouble& trouble : kTroubles) {
    EXPECT_GE(beside.starts_of(trouble.tenant), 7) << "it is tried again, each four seconds in the end";
    int told = 0;
    for (const queue::JobId id : beside.jobs.at(trouble.tenant)) {
      const queue::JobRecord job = beside.world.job(id);
      EXPECT_FALSE(job.finished);
      EXPECT_EQ(job.failures, 0) << "it costs no attempt";
      if (job.releases == 0) continue;
      ++told;
      std::vector<queue::AttemptRecord> attempts;
      beside.store->read([&](queue::JobReader& reader) { attempts = reader.attempts(job.seq); });
      ASSERT_FALSE(attempts.empty());
      EXPECT_EQ(attempts.back().error_code, trouble.code) << trouble.tenant;
      EXPECT_EQ(attempts.back().error, std::string{trouble.tenant} + " it is");
    }
    EXPECT_GT(told, 0) << trouble.tenant;
  }
}

}  // namespace
}  // namespace tenure::daemon
