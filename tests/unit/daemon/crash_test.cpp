#include "simulated.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

// Runs with faults. TENURE_SEEDS multiplies how many; a failure prints its seed.
namespace tenure::daemon {
namespace {

std::uint64_t seeds(std::uint64_t usual) {
  const char* const factor = std::getenv("TENURE_SEEDS");
  return usual * (factor == nullptr ? 1 : std::strtoull(factor, nullptr, 10));
}

simulation::Performance any_performance(Random& random) {
  simulation::Performance performance;
  performance.run_time = std::chrono::microseconds{1 + random.below(random.below(4) == 0 ? 20'000 : 300)};
  const auto dice = random.below(40);
  if (dice == 0) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::handler_failed, "simulated"};
  } else if (dice == 1) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::tenant_busy, "simulated"};
  } else if (dice == 2 && random.below(10) == 0) {
    performance.kills_process = true;
  }
  return performance;
}

// One run: jobs of several tenants, queues, priorities and kinds come in while rounds fail, workers are killed, hints are lost
// and the dispatcher ends at any point and is started again. Then quiet.
class FaultyRun {
 public:
  explicit FaultyRun(std::uint64_t seed) : random_(seed), sim_(options(seed)) {
    sim_.world.on_step = [this](const Event&, const Actions&) { ++steps_; };
  }

  void run() {
    for (const char* name : {"acme", "bolt", "crane"}) sim_->create_tenant(name);
    sim_->create_tenant("late", false);
    sim_->start();
    const std::uint64_t troubles = 10 + random_.below(20);
    for (std::uint64_t trouble = 0; trouble < troubles; ++trouble) {
      const std::uint64_t events = 1 + random_.below(60);
      for (std::uint64_t event = 0; event < events; ++event) (void)sim_.world.run_one();
      disturb();
    }
    quiet_phase();
  }
  Simulated& sim() { return sim_; }
  std::uint64_t steps() const { return steps_; }

 private:
  simulation::Options options(std::uint64_t seed) {
    simulation::Options options = one_pool(2, 2, seed);
    options.settings.pools = {PoolSettings{"default", 2, {"urgent", "default"}},
                              PoolSettings{"other", 1, {"default"}}};
    options.kinds = {"fast", "slow"};
    options.compares_lanes = true;
    options.perform = [this](const queue::ClaimedJob&) {
      return is_quiet_ ? simulation::Performance{} : any_performance(random_);
    };
    return options;
  }
  void disturb() {
    switch (random_.below(10)) {
      case 0:
        sim_.world.fail_next_rounds(1 + static_cast<int>(random_.below(3)));
        break;
      case 1:
        if (sim_->is_up()) {
          sim_.world.crash_dispatcher();
        } else {
          sim_.world.start();
        }
        break;
      case 2: {
        const auto workers = sim_->live_workers();
        if (!workers.empty()) sim_.world.kill_worker(workers[random_.below(workers.size())]);
        break;
      }
      default:
        enqueue_some();
        break;
    }
  }
  void enqueue_some() {
    simulation::JobSpec spec;
    const auto tenant = random_.below(5);
    spec.tenant = tenant == 0   ? ""
                  : tenant == 1 ? "acme"
                  : tenant == 2 ? "bolt"
                  : tenant == 3 ? "crane"
                                : "late";
    spec.queue = random_.below(3) == 0 ? "urgent" : "default";
    spec.kind = random_.below(2) == 0 ? "fast" : "slow";
    spec.priority = static_cast<int>(random_.below(2));
    if (random_.below(4) == 0) spec.due_in = std::chrono::microseconds{random_.below(20'000)};
    // Clients' clocks differ: some jobs are due a little before those that were there first.
    if (random_.below(4) == 0) spec.due_in = -std::chrono::microseconds{random_.below(2'000)};
    const bool hint = random_.below(4) != 0;
    if (!hint) sim_.world.lost_hint();
    (void)sim_->enqueue_many(spec, 1 + random_.below(random_.below(5) == 0 ? 80 : 5), hint);
  }
  void quiet_phase() {
    is_quiet_ = true;
    sim_->activate_tenant("late");
    if (!sim_->is_up()) sim_.world.start();
    drained_ = sim_.drains(std::chrono::hours{24 * 7});
    sim_.world.run_for(3s);
  }

  Random random_;
  bool is_quiet_ = false;
  Simulated sim_;
  std::uint64_t steps_ = 0;
  bool drained_ = false;
};

TEST(Dispatcher, LSE_04_LSE_09_CLM_20_NothingIsLostStuckOrDoneTwiceThroughCrashesBetweenAnyTwoSteps) {
  simulation::Faults total;
  std::int64_t attempted = 0;
  std::int64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= seeds(400); ++seed) {
    FaultyRun run(seed);
    run.run();
    simulation::Simulation& world = run.sim().world;
    const simulation::Verdict verdict = world.verdict();
    ASSERT_TRUE(verdict.is_clean()) << world.verdict_line();
    ASSERT_EQ(world.lanes_missed(), 0) << world.verdict_line();
    ASSERT_TRUE(world.dispatcher().known_lanes().empty()) << world.verdict_line();
    attempted += verdict.attempted;
    compared += world.lanes_compared();
    total.rounds_failed += world.faults.rounds_failed;
    total.workers_killed += world.faults.workers_killed;
    total.dispatchers_crashed += world.faults.dispatchers_crashed;
    total.rounds_cut += world.faults.rounds_cut;
    total.hints_lost += world.faults.hints_lost;
  }
  // A fault that did not happen proves nothing.
  EXPECT_GT(total.rounds_failed, 0);
  EXPECT_GT(total.workers_killed, 0);
  EXPECT_GT(total.dispatchers_crashed, 0);
  EXPECT_GT(total.rounds_cut, 0);
  EXPECT_GT(total.hints_lost, 0);
  EXPECT_GT(compared, 0);
  std::printf(
      "attempted=%lld acknowledged=%lld lost=0 unexpected=0 duplicated=0 stuck=0 wrong-tenant=0 | faults "
      "round=%lld kill=%lld crash=%lld cut=%lld hint=%lld | seeds=%llu\n",
      static_cast<long long>(attempted), static_cast<long long>(attempted),
      static_cast<long long>(total.rounds_failed), static_cast<long long>(total.workers_killed),
      static_cast<long long>(total.dispatchers_crashed), static_cast<long long>(total.rounds_cut),
      static_cast<long long>(total.hints_lost), static_cast<unsigned long long>(seeds(400)));
}

}  // namespace
}  // namespace tenure::daemon
