#include "support/process.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <observing/sampler.hpp>
#include <semaphore>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;

// Whoever reads it waits until it is let go.
class HangingStore final : public queue::ReadableStore {
 public:
  void read(FunctionRef<void(queue::JobReader&)>) override {
    reached.release();
    let_go.acquire();
    raise(ErrorCode::store_busy, "it hung");
  }
  std::binary_semaphore reached{0};
  std::counting_semaphore<> let_go{0};
};

// The disk's age, as /health/ready says it.
std::chrono::microseconds age_of_disk(Observations& observations, Instant now) {
  return observations.with([&](const Health& health, const Metrics&) {
    const auto checks = health.answer(Health::Probe::ready, now).checks;
    const auto disk = std::ranges::find(checks, std::string_view{"disk"}, &Health::Check::name);
    return disk->says == "has room" ? disk->age : std::chrono::microseconds::max();
  });
}

TEST(Sampler, TheDiskIsLookedAtWhileALookAtTheStoreHangs) {
  const testing::TemporaryFolder folder;
  VirtualClock clock;
  Observations observations({.pools = {}, .top_tenants = 0, .version = "1"}, {clock.wall(), clock.steady()});
  HangingStore store;
  Sampler sampler(observations, clock, folder.path() / "control.db", 1ms);
  sampler.look_at(store);
  store.reached.acquire();
  for (int look = 0; look < 3; ++look) {
    clock.advance(1h);
    EXPECT_TRUE(testing::wait_until([&] { return age_of_disk(observations, clock.steady()) == 0us; }));
  }
  store.let_go.release();
  sampler.leave();
}

TEST(Sampler, ALookThatHangsIsNotWaitedForLongerThanAllowed) {
  const testing::TemporaryFolder folder;
  VirtualClock clock;
  Observations observations({.pools = {}, .top_tenants = 0, .version = "1"}, {clock.wall(), clock.steady()});
  HangingStore store;
  Sampler sampler(observations, clock, folder.path() / "control.db", 1ms);
  sampler.look_at(store);
  store.reached.acquire();
  EXPECT_FALSE(sampler.leaves_within(1ms));
  store.let_go.release();
  EXPECT_TRUE(sampler.leaves_within(60s));
  EXPECT_TRUE(sampler.leaves_within(0ms)) << "and nothing is looked at any more";
}

}  // namespace
}  // namespace tenure::daemon
