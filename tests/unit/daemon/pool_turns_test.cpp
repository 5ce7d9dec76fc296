#include "pool_turns.hpp"

#include "simulated.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::KindNumber;
using queue::Lane;
using queue::LanePlace;
using queue::QueueNumber;

constexpr KindNumber kQuick{3}, kSlow{4};
constexpr QueueNumber kFirstQueue{1}, kSecondQueue{2};

// A pool of one process with two slots, in which quick jobs take 1 s and slow ones 60 s.
class PoolTurns : public ::testing::Test {
 protected:
  PoolTurns() {
    settings.pools = {PoolSettings{"general", 1, {"first", "second"}}};
    lanes.name_queue(kFirstQueue, "first");
    lanes.name_queue(kSecondQueue, "second");
    lanes.name_kinds({kQuick, kSlow}, {"quick", "slow"});
    usual[0].learn(kQuick, 1s);
    usual[0].learn(kSlow, 60s);
    Actions ignored;
    processes.start_all(now, ignored);
    const bool is_ready =
        processes.ready({.process = ProcessNumber{1}, .slots = 2, .kinds = {}, .default_queues = {}}, now);
    EXPECT_TRUE(is_ready);
    processes.find(ProcessNumber{1})->offer = lanes.process_came(0, {"quick", "slow"});
  }
  static Lane lane_of(std::int64_t tenant, QueueNumber queue = kFirstQueue, KindNumber kind = kQuick) {
    return {queue, {}, TenantNumber{tenant}, kind};
  }
  void arrive(const Lane& lane, int jobs = 1) {
    for (int i = 0; i < jobs; ++i)
      lanes.arrived(lane, LanePlace{from_us(++place * 10), queue::JobSeq{place}});
  }
  void perform(KindNumber kind, Instant since) {
    queue::ClaimedJob job;
    job.seq = queue::JobSeq{++place};
    job.lane = lane_of(99, kFirstQueue, kind);
    processes.find(ProcessNumber{1})->assigned(job, usual[0].of(kind).count(), since);
  }
  // Of the one pool.
  PoolTurn turn(const Lane& lane, std::int64_t ahead = 0) {
    const auto turns = pool_turns(lanes, processes, usual, lane, ahead, now);
    EXPECT_EQ(turns.size(), 1U);
    return turns.empty() ? PoolTurn{} : turns.front();
  }

  DispatcherSettings settings{.pools = {PoolSettings{"general", 1, {"first", "second"}}}};
  Instant now{1000s};
  Lanes lanes{settings.pools};
  Processes processes{settings};
  std::vector<UsualRunTimes> usual{1};
  std::int64_t place = 0;
};

TEST_F(PoolTurns, WithAFreeSlotTheFirstTenantsFirstJobStartsAtOnce) {
  arrive(lane_of(5), 3);
  const PoolTurn first = turn(lane_of(5));
  EXPECT_EQ(first.slots, 2);
  EXPECT_EQ(first.busy, 0);
  EXPECT_EQ(first.tenants_before, 0);
  EXPECT_EQ(first.expected, 0us);
  EXPECT_EQ(turn(lane_of(5), 2).expected, 1s) << "two of 1 s before it, in two slots";
}

TEST_F(PoolTurns, WhereAllSlotsPerformItWaitsForTheNextThatIsUsuallyFree) {
  arrive(lane_of(5));
  perform(kSlow, now - 20s);
  perform(kSlow, now - 45s);
  EXPECT_EQ(turn(lane_of(5)).busy, 2);
  EXPECT_EQ(turn(lane_of(5)).expected, 15s);
  now = now + 10h;
  EXPECT_EQ(turn(lane_of(5)).expected, 0us) << "late ones may end at any moment";
}

TEST_F(PoolTurns, WhoHasUsedLessComesFirstAndUsesWhatItHas) {
  for (const std::int64_t tenant : {5, 6, 7}) arrive(lane_of(tenant), 10);
  lanes.ring(0).charge(TenantNumber{7}, 4'000'000);
  EXPECT_EQ(turn(lane_of(7)).tenants_before, 2);
  EXPECT_EQ(turn(lane_of(7)).expected, 4s) << "4 s of each of two tenants, in two slots";
  lanes.ring(0).charge(TenantNumber{7}, 96'000'000);
  EXPECT_EQ(turn(lane_of(7)).expected, 10s) << "no more than the ten jobs of each";
  EXPECT_EQ(turn(lane_of(5)).tenants_before, 0);
  EXPECT_EQ(turn(lane_of(5), 3).expected, 3s)
      << "three of its own, and of the other one who is level with it";
}

TEST_F(PoolTurns, JobsOfABetterQueueComeFirstHoweverLittleTheTenantHasUsed) {
  arrive(lane_of(6, kFirstQueue, kSlow), 2);
  arrive(lane_of(5, kSecondQueue));
  lanes.ring(0).charge(TenantNumber{6}, 500'000'000);
  EXPECT_EQ(turn(lane_of(5, kSecondQueue)).tenants_before, 1);
  EXPECT_EQ(turn(lane_of(5, kSecondQueue)).expected, 60s);
}

TEST_F(PoolTurns, WhereNobodyHasCountedWhatComesFirstNothingIsExpected) {
  lanes.scanned(lane_of(6));
  arrive(lane_of(5, kSecondQueue));
  EXPECT_EQ(turn(lane_of(5, kSecondQueue)).tenants_before, 1);
  EXPECT_EQ(turn(lane_of(5, kSecondQueue)).expected, std::nullopt);
}

TEST_F(PoolTurns, OfAKindThatHasNotRunHereNothingIsExpected) {
  constexpr KindNumber kNew{5};
  lanes.name_kinds({kNew}, {"quick"});
  arrive(lane_of(5, kFirstQueue, kNew));
  arrive(lane_of(6));
  EXPECT_EQ(turn(lane_of(5, kFirstQueue, kNew)).expected, 0us) << "nothing is before it";
  EXPECT_EQ(turn(lane_of(5, kFirstQueue, kNew), 1).expected, std::nullopt);
  EXPECT_EQ(turn(lane_of(6)).expected, std::nullopt) << "one of it comes first";
  perform(kNew, now);
  perform(kNew, now);
  EXPECT_EQ(turn(lane_of(5, kFirstQueue, kNew)).expected, std::nullopt)
      << "and nobody knows when a slot is free";
}

TEST_F(PoolTurns, AThousandTenantsAreLookedAt) {
  for (std::int64_t tenant = 1; tenant <= kTurnTenantsMax; ++tenant) arrive(lane_of(tenant));
  arrive(lane_of(5000));
  lanes.ring(0).charge(TenantNumber{5000}, 1);
  EXPECT_EQ(turn(lane_of(5000)).tenants_before, kTurnTenantsMax);
  EXPECT_FALSE(turn(lane_of(5000)).is_capped);
  EXPECT_TRUE(turn(lane_of(5000)).expected);
  arrive(lane_of(4000));
  EXPECT_EQ(turn(lane_of(5000)).tenants_before, kTurnTenantsMax);
  EXPECT_TRUE(turn(lane_of(5000)).is_capped);
  EXPECT_FALSE(turn(lane_of(5000)).expected);
}

TEST_F(PoolTurns, OfALaneThatIsNotOpenThereIsNone) {
  arrive(lane_of(5));
  EXPECT_TRUE(pool_turns(lanes, processes, usual, lane_of(6), 0, now).empty()) << "nothing waits there";
  EXPECT_TRUE(pool_turns(lanes, processes, usual, lane_of(5, QueueNumber{9}), 0, now).empty());
  EXPECT_TRUE(pool_turns(lanes, processes, usual, lane_of(5, kFirstQueue, KindNumber{77}), 0, now).empty());
  lanes.set_tenant_state(TenantNumber{5}, TenantState::paused);
  EXPECT_TRUE(pool_turns(lanes, processes, usual, lane_of(5), 0, now).empty());
  lanes.set_tenant_state(TenantNumber{5}, TenantState::active);
  processes.set_quiet(0, true);
  EXPECT_TRUE(pool_turns(lanes, processes, usual, lane_of(5), 0, now).empty()) << "its pool is quiet";
}

// Who is told to be next starts next, and so on.
TEST(PoolTurnsOfADispatcher, ThePlaceAgreesWithTheOrderOfStarts) {
  auto options = one_pool(1, 1);
  std::vector<std::string> started;
  options.perform = [&](const queue::ClaimedJob& job) {
    started.emplace_back(job.tenant->text());
    return simulation::Performance{.run_time = started.size() == 1 ? 60s : 1s};
  };
  Simulated sim(std::move(options));
  for (const char* const name : {"acme", "corvid", "dodo", "egret"}) sim->create_tenant(name);
  sim->start();
  static_cast<void>(sim->enqueue({.tenant = "egret"}));
  sim->run_for(1s);
  ASSERT_EQ(started.size(), 1U);
  for (const char* const name : {"corvid", "acme"}) static_cast<void>(sim->enqueue({.tenant = name}));
  static_cast<void>(sim->enqueue({.tenant = "dodo", .priority = -5}));
  sim->run_for(2s);
  std::map<std::int64_t, TenantNumber> by_place;
  const TenantNumber running = sim.store->registry().find(TenantName{"egret"})->number;
  for (const KnownLane& known : sim->dispatcher().known_lanes())
    for (const PoolTurn& turn : sim->dispatcher().turns(known.lane, 0, sim->now()))
      if (known.lane.tenant != running) by_place.emplace(turn.tenants_before, known.lane.tenant);
  ASSERT_EQ(by_place.size(), 3U);
  std::vector<TenantNumber> told;
  for (const auto& [at, tenant] : by_place) told.push_back(tenant);
  ASSERT_TRUE(sim.drains(10min));
  std::vector<TenantNumber> seen;
  for (std::size_t at = 1; at < started.size(); ++at)
    seen.push_back(sim.store->registry().find(TenantName{started[at]})->number);
  EXPECT_EQ(seen, told);
}

}  // namespace
}  // namespace tenure::daemon
