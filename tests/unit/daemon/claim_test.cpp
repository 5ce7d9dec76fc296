#include "simulated.hpp"

#include <gtest/gtest.h>

namespace tenure::daemon {
namespace {

TEST(Simulation, RunsAJobOfATenantToItsEnd) {
  Simulated sim(one_pool(1, 2));
  sim->create_tenant("acme");
  sim->start();
  const auto id = sim->enqueue({.tenant = "acme"});
  ASSERT_TRUE(sim.drains(2s));
  EXPECT_EQ(sim->job(id).state, ShownState::succeeded);
  EXPECT_TRUE(sim->verdict().is_clean()) << sim->verdict_line();
}

}  // namespace
}  // namespace tenure::daemon
