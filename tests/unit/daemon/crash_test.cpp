#include "simulated.hpp"
#include "suspects.hpp"

#include <tenure/daemon/frames.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
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
  if (random.below(6) == 0) performance.enqueues = 1 + static_cast<int>(random.below(3));
  const auto dice = random.below(40);
  if (dice == 0) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::handler_failed, "simulated"};
  } else if (dice == 1) {
    performance.result = RunResult::failed;
    performance.failure = {ErrorCode::tenant_busy, "simulated"};
  } else if (dice >= 30) {
    performance.obeys_stop_token = true;
  } else if (dice == 2 && random.below(10) == 0) {
    performance.kills_process = true;
    performance.is_named = random.below(2) == 0;
  }
  return performance;
}

// What no worker may say, whole: refused at its last byte.
std::string bad_bytes(Random& random) {
  const auto dice = random.below(4);
  if (dice == 0) return "\xff\xff\xff\x7f";     // a frame that is too long
  if (dice == 1) return {"\x01\0\0\0\x7e", 5};  // of no type
  std::string bytes;
  write_frame(bytes, dice == 2 ? Frame{DrainFrame{}} : Frame{HelloFrame{.program_version = {}, .kinds = {}}});
  if (dice == 3) bytes += bytes;  // one hello may be in order, two are not
  return bytes;
}

// One run: jobs of several tenants, queues, priorities and kinds come in while rounds fail, workers are killed, hints are lost
// and the dispatcher ends at any point and is started again. Then quiet.
class FaultyRun {
 public:
  explicit FaultyRun(std::uint64_t seed) : random_(seed), sim_(options(seed)) {}

  void run() {
    for (const char* name : {"acme", "bolt", "crane"}) sim_->create_tenant(name);
    sim_->create_tenant("late", false);
    sim_->start();
    const std::uint64_t troubles = 10 + random_.below(20);
    for (std::uint64_t trouble = 0; trouble < troubles; ++trouble) {
      const std::uint64_t events = 1 + random_.below(60);
      for (std::uint64_t event = 0; event < events; ++event) (void)sim_.world.run_one();
      start_again_if_left();
      disturb();
    }
    quiet_phase();
  }
  std::uint64_t stops() const { return stops_; }
  Simulated& sim() { return sim_; }

 private:
  simulation::Options options(std::uint64_t seed) {
    simulation::Options options = one_pool(2, 2, seed);
    options.settings.pools = {PoolSettings{"default", 2, {"urgent", "default"}},
                              PoolSettings{"other", 1, {"default"}}};
    options.kinds = {"fast", "slow"};
    options.compares_lanes = true;
    options.keeps_board = seed % 4 != 0;
    options.settings.ping_max = 300ms;
    options.settings.stop_deadline = 100ms;
    if (seed % 2 == 0) options.time_limit = 4ms;  // which some of them do not keep
    options.perform = [this](const queue::ClaimedJob&) {
      return is_quiet_ ? simulation::Performance{} : any_performance(random_);
    };
    return options;
  }
  void disturb() {
    switch (random_.below(13)) {
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
        if (workers.empty()) break;
        const ProcessNumber victim = workers[random_.below(workers.size())];
        if (random_.below(5) == 0) {
          sim_.world.hang_worker(victim);
        } else if (random_.below(5) == 0) {
          sim_.world.garble_worker(victim, bad_bytes(random_));
        } else {
          sim_.world.kill_worker(victim);
        }
        break;
      }
      case 3:
        if (sim_->is_up() && random_.below(4) == 0)
          sim_.world.stop(random_.below(3) == 0 ? StopAsked::How::at_once : StopAsked::How::in_phases);
        break;
      case 4:
        change_workers();
        break;
      case 5:
        cancel_some();
        break;
      case 6:
        sim_.world.sweep_outboxes();
        break;
      default:
        enqueue_some();
        break;
    }
  }
  // Those that came last, which wait, are on their way or perform.
  void cancel_some() {
    const std::size_t recent = std::min<std::size_t>(jobs_.size(), 20);
    for (std::size_t count = std::min<std::size_t>(recent, 1 + random_.below(4)); count > 0; --count)
      sim_.world.cancel(jobs_[jobs_.size() - 1 - random_.below(recent)], random_.below(4) != 0);
  }
  void change_workers() {
    const auto workers = sim_->live_workers();
    if (random_.below(2) == 0) {
      if (sim_->is_up()) sim_.world.reload(1 + static_cast<int>(random_.below(3)), random_.below(2) == 0);
    } else if (!workers.empty()) {
      sim_.world.tell_worker_to_end(workers[random_.below(workers.size())]);
    }
  }
  void start_again_if_left() {
    if (!sim_->is_up() || !sim_->has_left()) return;
    ++stops_;
    sim_.world.start();
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
    const auto ids = sim_->enqueue_many(spec, 1 + random_.below(random_.below(5) == 0 ? 80 : 5), hint);
    jobs_.insert(jobs_.end(), ids.begin(), ids.end());
  }
  void quiet_phase() {
    is_quiet_ = true;
    sim_->activate_tenant("late");
    // A stop may be under way: until it is over.
    (void)sim_.world.run_until([this] { return !sim_->is_up() || sim_->has_left(); }, 30s);
    if (!sim_->is_up() || sim_->has_left()) sim_.world.start();
    for (int hours = 0; hours < 24 * 7 && !sim_->is_idle(); ++hours) {
      sim_.world.sweep_outboxes();  // or some of what is acknowledged would not even be here
      (void)sim_.drains(1h);
    }
    sim_.world.run_for(3s);
  }

  Random random_;
  std::vector<simulation::JobId> jobs_;
  bool is_quiet_ = false;
  Simulated sim_;
  std::uint64_t stops_ = 0;
};

TEST(Dispatcher, LSE_04_LSE_09_CLM_20_NothingIsLostStuckOrDoneTwiceThroughCrashesBetweenAnyTwoSteps) {
  simulation::Faults total;
  std::int64_t attempted = 0;
  std::int64_t compared = 0;
  std::uint64_t stops = 0;
  std::int64_t ended_at_limits = 0;
  std::int64_t cancelled_runs = 0;
  std::int64_t swept = 0;
  for (std::uint64_t seed = 1; seed <= seeds(400); ++seed) {
    FaultyRun run(seed);
    run.run();
    simulation::Simulation& world = run.sim().world;
    const simulation::Verdict verdict = world.verdict();
    ASSERT_TRUE(verdict.is_clean()) << world.verdict_line();
    ASSERT_EQ(world.lanes_missed(), 0) << world.verdict_line();
    ASSERT_TRUE(world.dispatcher().known_lanes().empty()) << world.verdict_line();
    ASSERT_EQ(world.outboxes.rows_left(*run.sim().store), 0) << world.verdict_line();
    swept += world.outboxes.swept;
    attempted += verdict.attempted;
    compared += world.lanes_compared();
    total.rounds_failed += world.faults.rounds_failed;
    total.workers_killed += world.faults.workers_killed;
    total.workers_crashed += world.faults.workers_crashed;
    total.workers_hung += world.faults.workers_hung;
    total.workers_garbled += world.faults.workers_garbled;
    total.workers_told += world.faults.workers_told;
    total.reloads += world.faults.reloads;
    stops += run.stops();
    ended_at_limits += std::ranges::count(world.notes, "worker.time_limit", &Note::event);
    total.dispatchers_crashed += world.faults.dispatchers_crashed;
    total.rounds_cut += world.faults.rounds_cut;
    total.hints_lost += world.faults.hints_lost;
    total.cancels += world.faults.cancels;
    cancelled_runs += std::ranges::count(world.notes, "job.cancel_requested", &Note::event);
  }
  // A fault that did not happen proves nothing.
  EXPECT_GT(total.rounds_failed, 0);
  EXPECT_GT(swept, 0);
  EXPECT_GT(total.workers_killed, 0);
  EXPECT_GT(total.workers_crashed, 0);
  EXPECT_GT(total.workers_hung, 0);
  EXPECT_GT(total.workers_garbled, 0);
  EXPECT_GT(total.workers_told, 0);
  EXPECT_GT(ended_at_limits, 0);
  EXPECT_GT(total.reloads, 0);
  EXPECT_GT(stops, 0U);
  EXPECT_GT(total.dispatchers_crashed, 0);
  EXPECT_GT(total.rounds_cut, 0);
  EXPECT_GT(total.hints_lost, 0);
  EXPECT_GT(total.cancels, cancelled_runs);
  EXPECT_GT(cancelled_runs, 0);
  EXPECT_GT(compared, 0);
  fmt::print(
      "attempted={0} acknowledged={0} lost=0 unexpected=0 duplicated=0 stuck=0 wrong-tenant=0 "
      "not-cancelled=0 | faults "
      "round={1} kill={2} named={13} "
      "hang={3} garbled={9} told={10} reload={11} crash={4} cut={5} hint={6} stop={7} cancel={12} | "
      "seeds=1..{8}\n",
      attempted, total.rounds_failed, total.workers_killed, total.workers_hung, total.dispatchers_crashed,
      total.rounds_cut, total.hints_lost, stops, seeds(400), total.workers_garbled, total.workers_told,
      total.reloads, total.cancels, total.workers_crashed);
}

// The harness must be able to fail.

TEST(DispatcherControlRun, WorkersThatOutliveTheirDispatcherAreSeenAsDuplicates) {
  auto options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 1s}; };
  Simulated sim(options);
  (void)sim->enqueue_many({}, 2);
  sim->start();
  sim->run_for(100ms);
  sim->crash_dispatcher(true);
  sim->start();
  sim->run_for(10s);
  EXPECT_EQ(sim->verdict().duplicated, 2);
}

TEST(DispatcherControlRun, AStoreThatDeniesWhatItHasDoneLeavesJobsStuck) {
  Simulated sim(one_pool(1, 2));
  sim->start();
  sim->run_for(1s);
  (void)sim->enqueue({});
  ASSERT_TRUE(sim.drains(1s));
  (void)sim->enqueue({});
  sim->run_for(50us);  // the look is over, the claim is under way
  sim->fail_next_rounds_after_the_commit(1);
  sim->run_for(10s);
  EXPECT_GT(sim->verdict().stuck, 0);
  EXPECT_GT(sim->verdict().claims_left, 0);
  // The next incarnation takes it back.
  sim->crash_dispatcher();
  sim->start();
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(Dispatcher, LSE_04_AfterACrashTheNextOneStartsTheJobsAgainWithinTwoSecondsUncharged) {
  auto options = one_pool(2, 2);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 5s}; };
  Simulated sim(options);
  const auto ids = sim->enqueue_many({}, 4);
  sim->start();
  sim->run_for(1s);
  ASSERT_EQ(sim->running(), 4);
  sim->crash_dispatcher();
  const Instant crashed = sim->now();
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return sim->running() == 4; }, 2s));
  EXPECT_LE(sim->now() - crashed, 3 * kTrial + 50ms) << "one at a time";
  ASSERT_TRUE(sim.drains(20s));
  for (const auto id : ids) EXPECT_EQ(sim->job(id).crashes + sim->job(id).failures, 0);
  for (std::size_t start = 4; start < 8; ++start)
    EXPECT_GT(sim->starts[start].token, sim->starts[start - 4].token);
}

TEST(Dispatcher, LSE_19_ClockJumpsReclaimNoLiveClaimAndLoseNothing) {
  for (const auto jump : {-std::chrono::hours{24 * 365}, std::chrono::hours{24 * 3650}}) {
    auto options = one_pool(2, 2);
    options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 700ms}; };
    Simulated sim(options);
    (void)sim->enqueue_many({}, 40);
    sim->start();
    sim->run_for(2s);
    sim->jump_wall(jump);
    (void)sim->enqueue_many({}, 10);
    sim->run_for(2s);
    sim->jump_wall(-jump);
    ASSERT_TRUE(sim.drains(60s));
    EXPECT_EQ(sim->starts.size(), 50U);
    EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
    EXPECT_EQ(sim->faults.clock_jumps, 2);
    const bool was_aborted = std::any_of(sim->control.begin(), sim->control.end(), [](const auto& each) {
      return std::holds_alternative<EndProcess>(each.second);
    });
    EXPECT_FALSE(was_aborted);
  }
}

TEST(Dispatcher, LSE_19_AJumpForwardMakesWhatIsDueStartWithinAPoll) {
  Simulated sim(one_pool(1, 1));
  const auto id = sim->enqueue({.due_in = std::chrono::hours{24}});
  sim->start();
  sim->run_for(5s);
  EXPECT_EQ(sim->job(id).state, ShownState::scheduled);
  sim->jump_wall(std::chrono::hours{25});
  ASSERT_TRUE(sim.drains(1s + 10ms));
}

}  // namespace
}  // namespace tenure::daemon
