#include "simulated.hpp"
#include "stepper.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/why.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

// Pools that name tenants, and pools of which slots are kept, by the whole dispatcher.
namespace tenure::daemon {
namespace {

using queue::JobReason;
using queue::PoolTenants;
using queue::Priority;
using simulation::Performance;
using simulation::Start;
using Rule = PoolTenants::Rule;

simulation::Options two_pools(PoolTenants first, PoolTenants second) {
  auto options = one_pool(1, 2);
  options.settings.pools = {
      PoolSettings{.name = "jumbo", .processes = 1, .queues = {"default"}, .tenants = std::move(first)},
      PoolSettings{.name = "general", .processes = 1, .queues = {"default"}, .tenants = std::move(second)}};
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 5ms}; };
  return options;
}

struct PoolRulesWorld : Simulated {
  explicit PoolRulesWorld(simulation::Options options) : Simulated(std::move(options)) {
    for (const char* const tenant : {"acme", "bolt", "crane"}) world.create_tenant(tenant);
  }
  void enqueue_all(std::size_t count) {
    for (const char* const tenant : {"acme", "bolt", "crane", ""})
      (void)world.enqueue_many({.tenant = tenant}, count);
  }
  // Processes are numbered in the order of the pools, one each.
  std::set<std::string> tenants_in(std::int64_t process) const {
    std::set<std::string> tenants;
    for (const Start& start : world.starts)
      if (start.process == ProcessNumber{process}) tenants.insert(start.tenant);
    return tenants;
  }
  void reload(PoolTenants first, PoolTenants second) {
    Reconfigured event{.pools = {{.tenants = std::move(first)}, {.tenants = std::move(second)}}};
    world.reload(event);
  }
  std::vector<JobReason> why(queue::JobId id) {
    std::vector<JobReason> reasons;
    store->read([&](queue::JobReader& reader) {
      const auto job = reader.find_job(id).value();
      for (const auto& each : queue::wait_reasons(job, reader.lane_facts(job), std::nullopt, world.wall()))
        reasons.push_back(each.reason);
    });
    return reasons;
  }
};

TEST(PoolRules, CLM_26_APoolThatNamesTenantsRunsOnlyTheirsAndOneThatExcludesThemNoneOfTheirs) {
  PoolRulesWorld sim(two_pools({Rule::only, {"acme", "crane"}}, {Rule::all_but, {"acme"}}));
  sim.enqueue_all(40);
  sim->start();
  sim->run_for(20ms);
  sim.enqueue_all(40);
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim.tenants_in(1), (std::set<std::string>{"acme", "crane"}));
  EXPECT_EQ(sim.tenants_in(2), (std::set<std::string>{"bolt", "crane", ""}));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(PoolRules, JobsWithoutATenantHaveAName) {
  PoolRulesWorld sim(two_pools({Rule::only, {"none"}}, {Rule::all_but, {"none"}}));
  sim.enqueue_all(20);
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim.tenants_in(1), (std::set<std::string>{""}));
  EXPECT_EQ(sim.tenants_in(2), (std::set<std::string>{"acme", "bolt", "crane"}));
}

TEST(PoolRules, ATenantMayBeNamedBeforeItIsThere) {
  PoolRulesWorld sim(two_pools({Rule::only, {"dodo"}}, {Rule::all_but, {"dodo"}}));
  sim->start();
  sim->run_for(1s);
  sim->create_tenant("dodo");  // not there yet when the pools were told
  (void)sim->enqueue_many({.tenant = "dodo"}, 5);
  ASSERT_TRUE(sim.drains(5s));
  EXPECT_EQ(sim.tenants_in(1), (std::set<std::string>{"dodo"}));
  EXPECT_TRUE(sim.tenants_in(2).empty());
}

TEST(PoolRules, AJobThatNoPoolTakesIsHeldWithThatReasonToldOnceAndRunsAfterAReload) {
  PoolRulesWorld sim(two_pools({Rule::only, {"acme"}}, {Rule::all_but, {"acme", "bolt"}}));
  const auto left_out = sim->enqueue({.tenant = "bolt"});
  const auto taken = sim->enqueue({.tenant = "acme"});
  sim->start();
  sim->run_for(3min);
  EXPECT_EQ(sim->job(taken).state, ShownState::succeeded);
  EXPECT_EQ(sim->job(left_out).state, ShownState::held);
  EXPECT_EQ(sim->job(left_out).reason, JobReason::tenant_without_pool);
  EXPECT_EQ(sim.why(left_out), std::vector{JobReason::tenant_without_pool});
  EXPECT_EQ(std::ranges::count(sim->notes, "tenant.without_pool", &Note::event), 1);
  sim.reload({Rule::only, {"acme"}}, {Rule::all_but, {"acme"}});
  ASSERT_TRUE(sim.drains(1s));
  EXPECT_EQ(sim.tenants_in(2), (std::set<std::string>{"bolt"}));
}

TEST(PoolRules, AReloadHoldsFromTheNextClaimOnAndCallsBackWhatWasAssignedAhead) {
  auto options = two_pools({}, {Rule::only, {"acme"}});
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 100us}; };
  PoolRulesWorld sim(options);
  (void)sim->enqueue_many({.tenant = "bolt"}, 2000);
  sim->start();
  sim->run_for(30ms);
  const std::size_t before = sim->starts.size();
  ASSERT_GT(before, 50U);
  sim.reload({Rule::only, {"acme"}}, {Rule::all_but, {"acme"}});
  sim->run_for(5ms);
  const std::size_t after = sim->starts.size();
  ASSERT_TRUE(sim.drains(10s));
  for (std::size_t index = after; index < sim->starts.size(); ++index)
    EXPECT_EQ(sim->starts[index].process, ProcessNumber{2}) << index;
  EXPECT_FALSE(control_of<Recall>(sim.world).empty());
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(PoolRules, AClaimUnderWayAtAReloadIsGivenBackWhereItsPoolTakesTheTenantNoMore) {
  Stepper stepper;
  stepper.come_to_claim(2);
  const auto claim = stepper.claims().at(0);
  stepper.step(Reconfigured{.pools = {{.tenants = {Rule::only, {"acme"}}}}});
  EXPECT_FALSE(find<Assign>(stepper.answer_claims({Stepper::jobs_of(claim, 1)})));
  ASSERT_TRUE(stepper.has_round());
  ASSERT_EQ(stepper.ends().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<EndRelease>(stepper.ends().front().how));
}

TEST(PoolRules, ASuspectOfACrashRunsAloneInAPoolThatTakesItsTenant) {
  auto options = two_pools({Rule::all_but, {"bolt"}}, {Rule::only, {"bolt"}});
  int deaths = 0;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance{.run_time = 5ms};
    performance.kills_process = deaths++ == 0;
    return performance;
  };
  PoolRulesWorld sim(options);
  const auto job = sim->enqueue({.tenant = "bolt"});
  sim->start();
  ASSERT_TRUE(sim.drains(30s));
  EXPECT_EQ(sim->job(job).state, ShownState::succeeded);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
  ASSERT_EQ(sim->starts.size(), 2U);
}

TEST(PoolRules, RulesThatComeWhileASuspectWaitsForItsProcessMoveIt) {
  auto options = two_pools({}, {});
  options.start_time = 20ms;
  int deaths = 0;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance{.run_time = 5ms};
    performance.kills_process = deaths++ == 0;
    return performance;
  };
  PoolRulesWorld sim(options);
  const auto job = sim->enqueue({.tenant = "bolt"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return deaths > 0 && sim->running() == 0; }, 1s));
  sim->run_for(10ms);
  sim.reload({Rule::all_but, {"bolt"}}, {Rule::only, {"bolt"}});
  ASSERT_TRUE(sim.drains(30s));
  EXPECT_EQ(sim->job(job).state, ShownState::succeeded);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(PoolRules, RulesThatComeWhileASuspectIsClaimedForItsProcessMoveIt) {
  auto options = two_pools({}, {});
  int deaths = 0;
  options.perform = [&](const queue::ClaimedJob&) {
    Performance performance{.run_time = 5ms};
    performance.kills_process = deaths++ == 0;
    return performance;
  };
  PoolRulesWorld sim(options);
  std::map<ProcessNumber, std::size_t> pool_of;
  bool is_claimed = false;
  sim->on_step = [&](const Event&, const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* const start = std::get_if<StartProcess>(&action)) pool_of[start->process] = start->pool;
      if (const auto* const round = std::get_if<RunRound>(&action))
        is_claimed = is_claimed || round->work->ask<LoneClaimsPart>().has_value();
    }
  };
  (void)sim->enqueue({.tenant = "bolt"});
  sim->start();
  ASSERT_TRUE(sim->run_until([&] { return is_claimed; }, 30s));
  ASSERT_EQ(sim->starts.size(), 1U);
  const bool was_first = pool_of.at(sim->starts.front().process) == 0;
  const PoolTenants without{Rule::all_but, {"bolt"}};
  sim.reload(was_first ? without : PoolTenants{}, was_first ? PoolTenants{} : without);
  ASSERT_TRUE(sim.drains(30s));
  ASSERT_EQ(sim->starts.size(), 2U);
  EXPECT_EQ(pool_of.at(sim->starts.back().process), was_first ? 1U : 0U);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(PoolRules, SuspectsOfADaemonsDeathAreTriedByPoolsThatTakeThemAndNeverInAKeptSlot) {
  auto options = two_pools({Rule::all_but, {"bolt"}}, {Rule::only, {"bolt"}});
  options.settings.pools[1].reserved = {{Priority{-10}, 1}};
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 50ms}; };
  PoolRulesWorld sim(options);
  (void)sim->enqueue_many({.tenant = "bolt"}, 4);
  (void)sim->enqueue_many({.tenant = "acme"}, 4);
  sim->start();
  sim->run_for(30ms);
  sim->crash_dispatcher();
  sim->start();
  ASSERT_TRUE(sim.drains(60s));
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

// --- Reserved slots.

simulation::Options with_reserved(std::vector<queue::ReservedSlots> reserved, int processes = 2,
                                  int slots = 4) {
  auto options = one_pool(processes, slots);
  options.settings.pools = {PoolSettings{.name = "default",
                                         .processes = processes,
                                         .queues = {"default", "second"},
                                         .reserved = std::move(reserved)}};
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 10ms}; };
  return options;
}

// The most that performed at once of those that are worse than `priority`.
std::int64_t most_worse(const simulation::Simulation& world, int priority,
                        std::chrono::microseconds run_time) {
  std::int64_t most = 0;
  for (const Start& last : world.starts) {
    std::int64_t beside = 0;
    for (const Start& start : world.starts)
      beside += start.priority > Priority{priority} && start.at <= last.at && last.at < start.at + run_time;
    most = std::max(most, beside);
  }
  return most;
}

TEST(ReservedSlots, SlotsReservedForAPriorityTakeNothingWorse) {
  PoolRulesWorld sim(with_reserved({{Priority{-50}, 1}, {Priority{-10}, 2}}));
  for (const char* const tenant : {"acme", "bolt", ""}) {
    (void)sim->enqueue_many({.tenant = tenant, .priority = 0}, 60);
    (void)sim->enqueue_many({.tenant = tenant, .queue = "second", .priority = -20}, 40);
  }
  sim->start();
  sim->run_for(60ms);
  // A better one finds a slot at once, though nobody leaves.
  const auto urgent = sim->enqueue({.tenant = "crane", .queue = "second", .priority = -50});
  sim->run_for(1ms);
  EXPECT_EQ(sim->job(urgent).state, ShownState::running);
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(most_worse(sim.world, -10, 10ms), 5) << "8 slots, of which 3 are kept from these";
  EXPECT_EQ(most_worse(sim.world, -50, 10ms), 7);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

TEST(ReservedSlots, WhoeverIsReservedForTakesAllOthersToo) {
  PoolRulesWorld sim(with_reserved({{Priority{0}, 2}}));
  (void)sim->enqueue_many({.tenant = "acme"}, 80);
  sim->start();
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim->performing_max, 8);
}

TEST(ReservedSlots, NothingIsAssignedAheadThatCouldStartInAKeptSlot) {
  auto options = with_reserved({{Priority{-10}, 2}}, 1, 4);
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.lane.priority < Priority{0} ? 700us : 200us};
  };
  PoolRulesWorld sim(options);
  (void)sim->enqueue_many({.tenant = "acme", .priority = 5}, 2000);
  sim->start();
  for (int time = 0; time < 50; ++time) {
    (void)sim->enqueue({.tenant = "bolt", .priority = -20});
    sim->run_for(1300us);
  }
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(most_worse(sim.world, -10, 200us), 2);
}

// As where a program performs by itself, in one process, what its configuration says of several; or while others are missing.
TEST(ReservedSlots, OneSlotIsLeftForAllWhereMoreAreKeptThanThereAre) {
  PoolRulesWorld sim(with_reserved({{Priority{-50}, 1}, {Priority{-10}, 5}}, 1, 4));
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 6);
  sim->start();
  sim->run_for(25ms);
  EXPECT_EQ(sim->job(jobs.front()).state, ShownState::succeeded);
  EXPECT_EQ(sim.why(jobs.back()), (std::vector{JobReason::slots_reserved, JobReason::tenant_turn}));
  (void)sim->enqueue_many({.tenant = "bolt", .priority = -10}, 6);
  ASSERT_TRUE(sim.drains(5s));
  EXPECT_EQ(most_worse(sim.world, -10, 10ms), 1);
  EXPECT_EQ(most_worse(sim.world, -50, 10ms), 3);
}

TEST(ReservedSlots, WhyAWorseJobWaitsBesideFreeSlots) {
  auto options = with_reserved({{Priority{-10}, 2}}, 1, 4);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 10s}; };
  PoolRulesWorld sim(options);
  const auto jobs = sim->enqueue_many({.tenant = "acme"}, 3);
  sim->start();
  sim->run_for(1s);
  EXPECT_EQ(sim->job(jobs.back()).state, ShownState::ready);
  EXPECT_EQ(sim.why(jobs.back()), (std::vector{JobReason::slots_reserved, JobReason::tenant_turn}));
  const auto turns = sim->dispatcher().turns(
      {queue::QueueNumber{1}, Priority{0}, TenantNumber{1}, queue::KindNumber{1}}, 0, sim->now());
  ASSERT_EQ(turns.size(), 1U);
  EXPECT_FALSE(turns.front().expected) << "nobody can tell";
}

TEST(ReservedSlots, LongJobsOfATenantLeaveTheLastSlotThatIsNotKept) {
  auto options = with_reserved({{Priority{-10}, 1}}, 1, 5);
  options.perform = [](const queue::ClaimedJob&) { return Performance{.run_time = 2s}; };
  PoolRulesWorld sim(options);
  (void)sim->enqueue_many({.tenant = "acme"}, 1);
  sim->start();
  ASSERT_TRUE(sim.drains(10s));  // by now they are known to be long
  (void)sim->enqueue_many({.tenant = "acme"}, 9);
  sim->run_for(1s);
  EXPECT_EQ(sim->running(), 3);
  (void)sim->enqueue({.tenant = "bolt"});
  sim->run_for(10ms);
  EXPECT_EQ(sim->running(), 4);
}

TEST(ReservedSlots, AReloadKeepsAndLetsGo) {
  PoolRulesWorld sim(with_reserved({}));
  (void)sim->enqueue_many({.tenant = "acme"}, 400);
  sim->start();
  sim->run_for(50ms);
  sim->reload(Reconfigured{.pools = {{.processes = 2, .reserved = {{Priority{-1}, 6}}}}});
  sim->run_for(15ms);
  const Instant kept = sim->now();
  sim->run_for(50ms);
  std::map<Instant, int> starts;
  for (const Start& start : sim->starts)
    if (start.at >= kept) ++starts[start.at];
  EXPECT_LE(std::ranges::count_if(sim->starts, [&](const Start& start) { return start.at >= kept; }), 2 * 6);
  sim->reload(Reconfigured{.pools = {{.processes = 2}}});
  ASSERT_TRUE(sim.drains(1s));
}

}  // namespace
}  // namespace tenure::daemon
