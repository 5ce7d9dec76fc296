#include "simulated.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

// 1 where all are equal, 1/n where one has everything (Jain, Chiu and Hawe, 1984).
double jain(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (const double share : shares) {
    sum += share;
    squares += share * share;
  }
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

std::string tenant_name(int number) { return "tenant-" + std::to_string(number); }

// 50 tenants with a backlog; the run time of each one's jobs.
double jain_of_slot_time(int processes, int slots, const std::vector<std::chrono::microseconds>& run_times,
                         bool own_kinds, std::chrono::microseconds time) {
  auto options = one_pool(processes, slots);
  options.kinds.clear();
  for (int tenant = 0; tenant < 50; ++tenant) options.kinds.push_back("kind_" + std::to_string(tenant));
  options.perform = [&](const queue::ClaimedJob& job) {
    const auto number = static_cast<std::size_t>(std::stoi(job.tenant->text().substr(7)));
    return simulation::Performance{.run_time = run_times[number % run_times.size()]};
  };
  Simulated sim(options);
  for (int tenant = 0; tenant < 50; ++tenant) {
    sim->create_tenant(tenant_name(tenant));
    const auto run_time = run_times[static_cast<std::size_t>(tenant) % run_times.size()];
    const auto backlog = static_cast<std::size_t>(time * slots * processes / run_time / 20 + 50);
    (void)sim->enqueue_many(
        {.tenant = tenant_name(tenant), .kind = own_kinds ? "kind_" + std::to_string(tenant) : "kind_0"},
        backlog, false);
  }
  sim->start();
  sim->run_for(time);
  std::vector<double> shares;
  for (int tenant = 0; tenant < 50; ++tenant) {
    shares.push_back(static_cast<double>(sim->slot_time(tenant_name(tenant)).count()));
  }
  return jain(shares);
}

TEST(Fairness, CLM_09_EqualTenantsShareSlotTimeEvenly) {
  EXPECT_GE(jain_of_slot_time(2, 4, {10ms}, true, 60s), 0.98);
}

TEST(Fairness, CLM_09_AlsoWithRunTimesFiftyFoldApart) {
  EXPECT_GE(jain_of_slot_time(2, 4, {10ms, 500ms}, true, 60s), 0.98);
}

TEST(Fairness, CLM_09_AlsoWhereOneKindRunsFiftyFoldLongerForSomeTenants) {
  EXPECT_GE(jain_of_slot_time(2, 4, {10ms, 500ms}, false, 60s), 0.98);
}

TEST(Fairness, CLM_09_AlsoWithJobsThatAreAssignedAhead) {
  EXPECT_GE(jain_of_slot_time(1, 2, {200us, 10ms}, true, 10s), 0.98);
}

TEST(Fairness, CLM_22_BackAfterAnIdleHourATenantHasNoCredit) {
  auto options = one_pool(1, 2);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 100ms}; };
  Simulated sim(options);
  for (const char* name : {"acme", "bolt"}) sim->create_tenant(name);
  sim->start();
  (void)sim->enqueue({.tenant = "bolt"});
  (void)sim->enqueue_many({.tenant = "acme"}, 2 * 36'000 + 2'000, false);
  sim->run_for(1h);  // acme alone, with backlog left
  (void)sim->enqueue_many({.tenant = "bolt"}, 400);
  const auto acme = sim->slot_time("acme");
  const auto bolt = sim->slot_time("bolt");
  sim->run_for(20s);
  const auto acmes = static_cast<double>((sim->slot_time("acme") - acme).count());
  const auto bolts = static_cast<double>((sim->slot_time("bolt") - bolt).count());
  EXPECT_NEAR(acmes / bolts, 1.0, 0.05);
}

TEST(Fairness, AQuietTenantWaitsAboutOneJobBehindABacklogOfManyTenants) {
  auto options = one_pool(2, 2);
  options.perform = [](const queue::ClaimedJob&) { return simulation::Performance{.run_time = 1ms}; };
  Simulated sim(options);
  sim->create_tenant("quiet");
  for (int tenant = 0; tenant < 20; ++tenant) {
    sim->create_tenant(tenant_name(tenant));
    (void)sim->enqueue_many({.tenant = tenant_name(tenant)}, 1000, false);
  }
  sim->start();
  sim->run_for(200ms);
  std::vector<std::chrono::microseconds> waits;
  for (int time = 0; time < 40; ++time) {
    const auto id = sim->enqueue({.tenant = "quiet"});
    const Instant enqueued = sim->now();
    const std::size_t before = sim->starts.size();
    sim->run_for(30ms);
    const auto start = std::find_if(sim->starts.begin() + static_cast<long>(before), sim->starts.end(),
                                    [&](const simulation::Start& each) { return each.id == id; });
    ASSERT_NE(start, sim->starts.end());
    waits.push_back(start->at - enqueued);
  }
  std::sort(waits.begin(), waits.end());
  EXPECT_LE(waits[waits.size() * 95 / 100], 3500us);
}

}  // namespace
}  // namespace tenure::daemon
