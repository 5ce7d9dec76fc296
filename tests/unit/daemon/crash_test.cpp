#include "faulty_run.hpp"
#include "simulated.hpp"
#include "suspects.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

// Runs with faults. TENURE_SEEDS multiplies how many; a failure prints its seed.
namespace tenure::daemon {
namespace {

TEST(Dispatcher, LSE_04_LSE_09_CLM_20_NothingIsLostStuckOrDoneTwiceThroughCrashesBetweenAnyTwoSteps) {
  simulation::Faults total;
  std::int64_t attempted = 0;
  std::int64_t compared = 0;
  std::uint64_t stops = 0;
  std::int64_t ended_at_limits = 0;
  std::int64_t cancelled_runs = 0;
  std::int64_t swept = 0;
  std::int64_t expired = 0;
  std::int64_t keyed = 0;
  std::int64_t callbacks = 0;
  std::int64_t limited = 0;
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
    expired += std::ranges::count(world.notes, "job.expired", &Note::event);
    total.expiries += world.faults.expiries;
    keyed += world.keyed_beside_others;
    callbacks += world.callbacks;
    limited += world.limited_claims;
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
  EXPECT_GT(expired, 0);
  EXPECT_GT(total.expiries, 0);
  EXPECT_GT(keyed, 0);
  EXPECT_GT(callbacks, 0);
  EXPECT_GT(limited, 0);
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
