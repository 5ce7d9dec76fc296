#include "simulated.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Two versions of a worker program in one pool, as during a rolling restart: what a process is given follows its own hello.
namespace tenure::daemon {
namespace {

using Kinds = std::vector<std::string>;

// A simulation that remembers what each process said in its hello.
struct Rolling : Simulated {
  explicit Rolling(simulation::Options options) : Simulated(std::move(options)) {
    world.on_step = [this](const Event& event, const Actions&) {
      if (const auto* const ready = std::get_if<WorkerReady>(&event)) offered[ready->process] = ready->kinds;
    };
  }
  // The oldest process is replaced by one of a program that performs `kinds`.
  void replace_one(Kinds kinds) {
    world.run_for(2s);  // a process that ends sooner without a job is not replaced at once
    world.set_kinds(std::move(kinds));
    world.kill_worker(world.live_workers().front());
    world.run_for(50ms);
  }
  [[nodiscard]] std::int64_t starts_of_unknown_kinds() const {
    return std::count_if(world.starts.begin(), world.starts.end(), [&](const simulation::Start& start) {
      const Kinds& kinds = offered.at(start.process);
      return std::find(kinds.begin(), kinds.end(), start.kind) == kinds.end();
    });
  }
  [[nodiscard]] std::int64_t succeeded() const { return world.count(ShownState::succeeded); }

  std::map<ProcessNumber, Kinds> offered;
};

simulation::Options two_processes(int slots) {
  auto options = one_pool(2, slots);
  options.kinds = {"job"};
  return options;
}

TEST(RollingRestart, AJobGoesOnlyToAProcessWhoseHelloNamedItsKind) {
  Rolling sim(two_processes(2));
  sim->start();
  sim->run_for(50ms);
  sim.replace_one({"job", "report"});
  for (const char* kind : {"report", "job", "report"}) (void)sim->enqueue_many({.kind = kind}, 50);
  ASSERT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim.starts_of_unknown_kinds(), 0);
}

TEST(RollingRestart, AHelloDoesNotTakeAwayWhatAnotherProcessPerforms) {
  Rolling sim(two_processes(2));
  sim->start();
  sim->run_for(50ms);
  sim.replace_one({"report"});
  (void)sim->enqueue_many({.kind = "job"}, 20);
  (void)sim->enqueue_many({.kind = "report"}, 20);
  EXPECT_TRUE(sim.drains(10s));
  EXPECT_EQ(sim.starts_of_unknown_kinds(), 0);
}

TEST(RollingRestart, RTY_05_WhenTheLastProcessThatKnowsAKindIsGoneItsJobsAreHeldAndNotDiscarded) {
  auto options = two_processes(1);
  options.kinds = {"job", "report"};
  Rolling sim(options);
  sim->start();
  sim->run_for(50ms);
  sim.replace_one({"job"});
  sim.replace_one({"job"});
  (void)sim->enqueue_many({.kind = "report"}, 5);
  (void)sim->enqueue_many({.kind = "job"}, 5);
  sim->run_for(5s);
  EXPECT_EQ(sim.succeeded(), 5);
  EXPECT_EQ(sim->count(ShownState::held), 5);
  EXPECT_EQ(sim->dispatcher().status().parked, 1);
  sim.replace_one({"job", "report"});
  EXPECT_TRUE(sim.drains(1s));
  EXPECT_EQ(sim.starts_of_unknown_kinds(), 0);
}

TEST(RollingRestart, ALaneIsParkedWhileNoProcessOfItsPoolLives) {
  auto options = one_pool(1, 1);
  options.starts = [](ProcessNumber process) { return process.value == 1; };
  Rolling sim(options);
  sim->start();
  sim->run_for(50ms);
  sim->kill_worker(sim->live_workers().front());
  (void)sim->enqueue({});
  sim->run_for(2s);
  EXPECT_EQ(sim->dispatcher().status().lanes, 1);
  EXPECT_EQ(sim->dispatcher().status().parked, 1);
}

// The new version's only slot is taken for an hour, and a tenant that has had nothing waits for it at the front of the order.
TEST(RollingRestart, ATenantThatWaitsForABusyProcessDoesNotBlockTheFreeSlotsOfOthers) {
  auto options = two_processes(1);
  options.perform = [](const queue::ClaimedJob& job) {
    return simulation::Performance{.run_time = job.kind == "report" ? std::chrono::microseconds{1h}
                                                                    : std::chrono::microseconds{1ms}};
  };
  Rolling sim(options);
  for (const char* tenant : {"acme", "bolt"}) sim->create_tenant(tenant);
  sim->start();
  sim->run_for(50ms);
  sim.replace_one({"report"});
  (void)sim->enqueue({.tenant = "acme", .kind = "report"});
  sim->run_for(50ms);
  (void)sim->enqueue_many({.tenant = "acme", .kind = "report"}, 5);
  (void)sim->enqueue_many({.tenant = "bolt", .kind = "report"}, 5);
  (void)sim->enqueue_many({.tenant = "acme", .kind = "job"}, 300);
  (void)sim->enqueue_many({.tenant = "bolt", .kind = "job"}, 300);
  sim->run_for(2s);
  EXPECT_EQ(sim.succeeded(), 600);
  EXPECT_EQ(sim.starts_of_unknown_kinds(), 0);
}

// What is planned for one version is no reason to plan nothing for the other.
TEST(RollingRestart, AFewJobsOfANewKindDoNotWaitForTheirTenantsBacklogOfAnOldOne) {
  auto options = two_processes(1);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 5ms}; };
  Rolling sim(options);
  sim->create_tenant("acme");
  sim->start();
  sim->run_for(50ms);
  sim.replace_one({"report"});
  (void)sim->enqueue_many({.tenant = "acme", .kind = "job"}, 5000);
  sim->run_for(50ms);
  const auto reports = sim->enqueue_many({.tenant = "acme", .kind = "report"}, 10);
  sim->run_for(200ms);
  for (const auto id : reports) EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
}

TEST(RollingRestart, ACrashOfTheOnlyProcessLeavesTheTenantsTheirAccounts) {
  auto options = one_pool(1, 1);
  // Each third run crashes, and its job is named: it waits in its lane again.
  options.perform = [runs = std::make_shared<int>(0)](const queue::ClaimedJob&) {
    return ++*runs % 3 == 0
               ? simulation::Performance{.run_time = 6ms, .kills_process = true, .is_named = true}
               : simulation::Performance{.run_time = 10ms};
  };
  Rolling sim(options);
  for (const char* tenant : {"acme", "bolt"}) sim->create_tenant(tenant);
  sim->start();
  (void)sim->enqueue_many({.tenant = "acme"}, 1000);
  (void)sim->enqueue_many({.tenant = "bolt"}, 1000);
  sim->run_for(60s);
  EXPECT_GE(sim->starts.size(), 30U);
  const auto of = [&](const char* tenant) { return static_cast<double>(sim->slot_time(tenant).count()); };
  EXPECT_NEAR(of("acme") / (of("acme") + of("bolt")), 0.5, 0.1);
}

}  // namespace
}  // namespace tenure::daemon
