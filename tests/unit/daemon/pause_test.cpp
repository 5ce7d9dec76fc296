#include "simulated.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

// Queues, kinds and tenants that are paused, in the whole dispatcher.
namespace tenure::daemon {
namespace {

using queue::PauseScope;
using simulation::Performance;

simulation::Options with_two_queues() {
  auto options = one_pool(1, 2);
  options.settings.pools = {PoolSettings{"default", 1, {"default", "exports"}}};
  options.kinds = {"job", "slow"};
  options.perform = [](const queue::ClaimedJob& job) {
    return Performance{.run_time = job.kind == "slow" ? 60s : 1ms};
  };
  return options;
}

struct Pausing : Simulated {
  explicit Pausing(simulation::Options options = with_two_queues()) : Simulated(std::move(options)) {
    world.create_tenant("acme");
    world.start();
    world.run_for(50ms);
  }
  void pause(PauseScope scope, std::string name, std::optional<std::chrono::microseconds> length = {},
             bool is_hinted = true) {
    queue::NewPause wanted{.scope = scope, .name = std::move(name)};
    if (length) wanted.until = world.wall() + *length;
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.pause(wanted, world.wall())));
    });
    if (is_hinted) world.hint();
    world.run_for(5ms);
  }
  void resume(PauseScope scope, std::string_view name) {
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { EXPECT_TRUE(writer.resume(scope, name)); });
    world.hint();
    world.run_for(5ms);
  }
  ShownState state(queue::JobId id) { return world.job(id).state; }
  queue::JobId put(std::string queue, std::string kind = "job") {
    return world.enqueue({.tenant = "acme", .queue = std::move(queue), .kind = std::move(kind)});
  }
  void expect_clean() { EXPECT_TRUE(world.verdict().is_clean()) << world.verdict_line(); }
};

TEST(Pause, NothingOfAPausedQueueStartsWhatRunsEndsAndEnqueuesGoOn) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  const auto runs = sim.put("exports", "slow");
  sim->run_for(5ms);
  ASSERT_EQ(sim.state(runs), ShownState::running);
  sim.pause(PauseScope::queue, "exports");
  const auto waits = sim.put("exports");
  const auto beside = sim.put("default");
  sim->run_for(120s);
  EXPECT_EQ(sim.state(runs), ShownState::succeeded);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  EXPECT_EQ(sim->job(waits).reason, queue::JobReason::queue_paused);
  EXPECT_EQ(sim.state(beside), ShownState::succeeded);
  sim.resume(PauseScope::queue, "exports");
  sim->run_for(10ms);
  EXPECT_EQ(sim.state(waits), ShownState::succeeded);
  sim.expect_clean();
}

TEST(Pause, NothingOfAPausedKindStartsInAnyQueue) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  sim.pause(PauseScope::kind, "job");
  const auto here = sim.put("default");
  const auto there = sim.put("exports");
  const auto other = sim.put("exports", "slow");
  sim->run_for(90s);
  EXPECT_EQ(sim.state(here), ShownState::held);
  EXPECT_EQ(sim->job(there).reason, queue::JobReason::kind_paused);
  EXPECT_EQ(sim.state(other), ShownState::succeeded);
  sim.resume(PauseScope::kind, "job");
  sim->run_for(10ms);
  EXPECT_EQ(sim.state(here), ShownState::succeeded);
  EXPECT_EQ(sim.state(there), ShownState::succeeded);
  sim.expect_clean();
}

TEST(Pause, WithoutAHintItHoldsWithTheNextLook) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  sim.pause(PauseScope::queue, "exports", std::nullopt, false);
  sim->run_for(1s);
  const auto waits = sim.put("exports");
  sim->run_for(5s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
}

TEST(Pause, AtItsTimeItEndsByItselfAlsoWhereNobodyWrites) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  sim.pause(PauseScope::queue, "exports", 30s);
  const auto waits = sim.put("exports");
  sim->run_for(29s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  sim->run_for(3s);
  EXPECT_EQ(sim.state(waits), ShownState::succeeded);
  std::vector<queue::PauseRecord> left;
  sim.store->read([&](queue::JobReader& reader) { left = reader.pauses(); });
  EXPECT_TRUE(left.empty());
  sim.expect_clean();
}

TEST(Pause, WhileItStopsOneWhoseTimeIsOverAsksForNoRounds) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  const auto runs = sim.put("default", "slow");
  sim->run_for(5ms);
  ASSERT_EQ(sim.state(runs), ShownState::running);
  sim.pause(PauseScope::queue, "exports", 1s);
  sim->stop(StopAsked::How::in_phases);
  const std::int64_t before = sim->rounds;
  sim->run_for(5s);
  EXPECT_EQ(sim.state(runs), ShownState::running);
  EXPECT_LT(sim->rounds - before, 100);
}

TEST(Pause, ADispatcherThatStartsClaimsNothingThatIsPaused) {
  Pausing sim;
  sim.put("exports");
  sim->run_for(5ms);
  sim.pause(PauseScope::queue, "exports");
  const auto waits = sim.put("exports");
  sim->crash_dispatcher();
  sim->start();
  const auto beside = sim.put("default");
  sim->run_for(10s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  EXPECT_EQ(sim.state(beside), ShownState::succeeded);
  sim.resume(PauseScope::queue, "exports");
  sim->run_for(10ms);
  EXPECT_EQ(sim.state(waits), ShownState::succeeded);
  sim.expect_clean();
}

TEST(Pause, ASuspectOfAPausedKindWaitsAndHoldsUpNobody) {
  Pausing sim;
  const auto suspect = sim.put("exports", "slow");
  sim->run_for(5ms);
  ASSERT_EQ(sim.state(suspect), ShownState::running);
  sim.pause(PauseScope::kind, "slow");
  sim->crash_dispatcher();
  sim->start();
  const auto beside = sim.put("default");
  sim->run_for(30s);
  EXPECT_NE(sim.state(suspect), ShownState::running);
  EXPECT_EQ(sim.state(beside), ShownState::succeeded);
  sim.resume(PauseScope::kind, "slow");
  sim->run_for(90s);
  EXPECT_EQ(sim.state(suspect), ShownState::succeeded);
  sim.expect_clean();
}

TEST(Pause, NothingOfAPausedTenantStartsWhatRunsEndsAndOthersGoOn) {
  Pausing sim;
  sim->create_tenant("beta");
  const auto runs = sim.put("exports", "slow");
  sim->run_for(5ms);
  ASSERT_EQ(sim.state(runs), ShownState::running);
  sim.pause(PauseScope::tenant, "acme");
  const auto waits = sim.put("exports");
  const auto beside = sim->enqueue({.tenant = "beta", .queue = "exports", .kind = "job"});
  sim->run_for(120s);
  EXPECT_EQ(sim.state(runs), ShownState::succeeded);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  EXPECT_EQ(sim->job(waits).reason, queue::JobReason::tenant_paused);
  EXPECT_EQ(sim.state(beside), ShownState::succeeded);
  sim.resume(PauseScope::tenant, "acme");
  EXPECT_EQ(sim.state(waits), ShownState::succeeded) << "at once, by the hint and not by the poll";
  sim.expect_clean();
}

TEST(Pause, ATenantsLanesAreParkedBeforeAnyClaimIsTried) {
  Pausing sim;
  const auto first = sim.put("exports", "slow");
  const auto second = sim.put("exports", "slow");
  const auto waits = sim.put("exports", "slow");
  sim->run_for(5ms);
  ASSERT_EQ(sim.state(first), ShownState::running);
  ASSERT_EQ(sim.state(second), ShownState::running);
  const auto open = [&] {
    const DispatcherStatus status = sim->dispatcher().status();
    return status.lanes - status.parked;
  };
  ASSERT_EQ(open(), 1);
  sim.pause(PauseScope::tenant, "acme");
  EXPECT_EQ(open(), 0);
  sim->run_for(130s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
}

TEST(Pause, OfATenantItEndsByItselfAtItsTime) {
  Pausing sim;
  sim.pause(PauseScope::tenant, "acme", 30s);
  const auto waits = sim.put("exports");
  sim->run_for(29s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  sim->run_for(3s);
  EXPECT_EQ(sim.state(waits), ShownState::succeeded);
  sim.expect_clean();
}

TEST(Pause, ADispatcherThatStartsHoldsATenantUntilItsTime) {
  Pausing sim;
  sim.pause(PauseScope::tenant, "acme", 60s);
  const auto waits = sim.put("exports");
  sim->crash_dispatcher();
  sim->start();
  sim->run_for(30s);
  EXPECT_EQ(sim.state(waits), ShownState::held);
  sim->run_for(33s);
  EXPECT_EQ(sim.state(waits), ShownState::succeeded);
  sim.expect_clean();
}

}  // namespace
}  // namespace tenure::daemon
