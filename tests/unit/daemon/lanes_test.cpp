#include "lanes.hpp"

#include "kept_room.hpp"
#include "processes.hpp"
#include "rounds_by_hand.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::ClaimedJob;
using queue::ClaimReply;
using queue::ClaimRequest;
using queue::JobSeq;
using queue::KindNumber;
using queue::Lane;
using queue::LanePlace;
using queue::Priority;
using queue::QueueNumber;

constexpr TenantNumber kTenant{5};
constexpr KindNumber kKind{3};

LanePlace place(std::int64_t seq) { return {from_us(seq * 10), JobSeq{seq}}; }

// One pool that lists the queue and performs the kind.
struct LanesTest : ::testing::Test {
  LanesTest() {
    lanes.name_queue(QueueNumber{1}, "default");
    lanes.name_kinds({kKind}, {"job"});
    static_cast<void>(lanes.process_came(0, {"job"}));
  }
  bool is_open() const { return lanes.ring(0).first().has_value(); }
  std::optional<LanePlace> cursor() const { return lanes.all().at(0).after; }
  ClaimRequest request(std::size_t count) {
    lanes.planned(0, 0, *lanes.ring(0).first(), {}, count);
    ClaimRequest made;
    made.queue = kLane.queue;
    made.priority = kLane.priority;
    made.tenant = kTenant;
    made.kinds = {{kKind, cursor()}};
    made.count = count;
    return made;
  }
  static ClaimReply reply(std::initializer_list<std::int64_t> seqs) {
    ClaimReply made;
    for (const std::int64_t seq : seqs) {
      ClaimedJob job;
      job.seq = JobSeq{seq};
      job.lane = kLane;
      job.place = place(seq);
      made.jobs.push_back(job);
    }
    return made;
  }
  Lanes lanes{{PoolSettings{"default", 1, {"default"}}}};
};

TEST_F(LanesTest, AScannedLaneIsSearchedFromTheFront) {
  lanes.scanned(kLane);
  EXPECT_TRUE(is_open());
  EXPECT_FALSE(cursor());
}

TEST_F(LanesTest, TheCursorStandsBehindTheLastClaimedJob) {
  lanes.scanned(kLane);
  lanes.settle(request(2), reply({4, 7}), JobSeq{9});
  EXPECT_EQ(cursor(), place(7));
  EXPECT_TRUE(is_open());
}

TEST_F(LanesTest, AShortAnswerEmptiesTheLane) {
  lanes.scanned(kLane);
  lanes.settle(request(3), reply({4, 7}), JobSeq{9});
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.count(), 0);
}

TEST_F(LanesTest, AnAnswerThatStoppedAtItsBytesLeavesTheLane) {
  lanes.scanned(kLane);
  ClaimReply stopped = reply({4, 7});
  stopped.stopped_by_bytes = true;
  lanes.settle(request(3), stopped, JobSeq{9});
  EXPECT_TRUE(is_open());
  EXPECT_EQ(cursor(), place(7));
  ClaimReply nothing_left;
  nothing_left.stopped_by_bytes = true;
  lanes.settle(request(3), nothing_left, JobSeq{9});
  EXPECT_TRUE(is_open());
  EXPECT_EQ(cursor(), place(7));
}

TEST_F(LanesTest, AnEarlierArrivalTakesTheCursorBackToJustBeforeIt) {
  lanes.scanned(kLane);
  lanes.settle(request(2), reply({4, 7}), JobSeq{9});
  lanes.arrived(kLane, place(5));
  EXPECT_EQ(cursor(), (LanePlace{from_us(50), JobSeq{4}}));
}

TEST_F(LanesTest, AShortAnswerLeavesALaneInWhichSomethingBecameReadyBeforeItsCursor) {
  lanes.scanned(kLane);
  lanes.settle(request(2), reply({4, 7}), JobSeq{9});
  const ClaimRequest asked = request(2);
  lanes.arrived(kLane, place(5));  // told by the same answer
  lanes.settle(asked, reply({}), JobSeq{9});
  EXPECT_TRUE(is_open());
  EXPECT_LT(cursor(), place(5));
}

TEST_F(LanesTest, AShortAnswerOutweighsArrivalsBehindTheCursor) {
  lanes.scanned(kLane);
  const ClaimRequest asked = request(2);
  lanes.arrived(kLane, place(5));  // the claim has seen it
  lanes.settle(asked, reply({5}), JobSeq{9});
  EXPECT_FALSE(is_open());
}

TEST_F(LanesTest, CountsArrivalsSoThatNothingIsAskedOfALaneWhoseJobsAreAllClaimed) {
  lanes.arrived(kLane, place(4));
  lanes.arrived(kLane, place(7));
  EXPECT_EQ(lanes.jobs_max(0, 0, *lanes.ring(0).first()), 2U);
  lanes.settle(request(1), reply({4}), JobSeq{9});
  EXPECT_EQ(lanes.jobs_max(0, 0, *lanes.ring(0).first()), 1U);
  lanes.settle(request(1), reply({7}), JobSeq{9});
  EXPECT_FALSE(is_open());
}

TEST_F(LanesTest, AJobThatWasClaimedBeforeItsArrivalWasReadDoesNotCount) {
  lanes.arrived(kLane, place(7));
  lanes.settle(request(1), reply({9}), JobSeq{8});
  EXPECT_TRUE(is_open());
}

TEST_F(LanesTest, WhatIsPlannedIsNotPlannedTwice) {
  lanes.arrived(kLane, place(4));
  const ClaimRequest asked = request(1);
  EXPECT_FALSE(is_open());
  lanes.forget_plan(asked);
  EXPECT_TRUE(is_open());
}

TEST_F(LanesTest, ATenantThatMayNotBeClaimedFromIsParkedUntilItIsActive) {
  lanes.scanned(kLane);
  ClaimReply gated;
  gated.gate = TenantState::paused;
  lanes.settle(request(1), gated, JobSeq{9});
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.parked(), 1);
  EXPECT_EQ(lanes.parked_tenants(10), std::vector{kTenant});
  lanes.arrived(kLane, place(4));
  EXPECT_FALSE(is_open());
  lanes.set_tenant_state(kTenant, TenantState::active);
  EXPECT_TRUE(is_open());
  EXPECT_TRUE(lanes.parked_tenants(10).empty());
}

TEST_F(LanesTest, ParkedTenantsAreAskedAboutInTurn) {
  for (std::int64_t tenant = 1; tenant <= 5; ++tenant) {
    Lane lane = kLane;
    lane.tenant = TenantNumber{tenant};
    lanes.scanned(lane);
    lanes.set_tenant_state(lane.tenant, TenantState::paused);
  }
  EXPECT_EQ(lanes.parked_tenants(2), (std::vector{TenantNumber{1}, TenantNumber{2}}));
  EXPECT_EQ(lanes.parked_tenants(2), (std::vector{TenantNumber{3}, TenantNumber{4}}));
  EXPECT_EQ(lanes.parked_tenants(2), (std::vector{TenantNumber{5}, TenantNumber{1}}));
  EXPECT_EQ(lanes.parked_tenants(9).size(), 5U);
}

TEST_F(LanesTest, ABusyTenantIsLeftAloneForAWhile) {
  lanes.scanned(kLane);
  lanes.park_busy(kTenant, Instant{0ms});
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.next_unpark(), Instant{250ms});
  lanes.unpark_due(Instant{249'999us});
  EXPECT_FALSE(is_open());
  lanes.unpark_due(Instant{250ms});
  EXPECT_TRUE(is_open());
  EXPECT_FALSE(lanes.next_unpark());
}

TEST_F(LanesTest, JobsThatWereStartedBeforeTheirTenantWasParkedDoNotLengthenItsWait) {
  lanes.scanned(kLane);
  for (int released = 0; released < 16; ++released) lanes.park_busy(kTenant, Instant{100ms * released / 16});
  EXPECT_EQ(lanes.next_unpark(), Instant{250ms});
}

// How long the tenant is parked by a release at that moment.
std::chrono::microseconds parked_for(Lanes& lanes, Instant now) {
  lanes.park_busy(kTenant, now);
  const Instant until = lanes.next_unpark().value();
  lanes.unpark_due(until);
  return until - now;
}

TEST_F(LanesTest, RTY_04_TheWaitDoublesToItsBoundAndIsTheShortestAgainAfterAJobThatEndedOtherwise) {
  lanes.scanned(kLane);
  Instant now{1s};
  for (const auto wait : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms}) {
    EXPECT_EQ(parked_for(lanes, now), wait);
    now = now + 60s;
  }
  lanes.not_busy(kTenant, now);
  EXPECT_EQ(parked_for(lanes, now), kBusyParkMin);
  EXPECT_EQ(parked_for(lanes, now + 1s), 2 * kBusyParkMin);
}

TEST_F(LanesTest, AJobThatEndsOtherwiseWhileItsTenantIsParkedShortensTheWait) {
  lanes.scanned(kLane);
  for (int released = 0; released < 9; ++released) parked_for(lanes, Instant{1min * released});
  lanes.park_busy(kTenant, Instant{10min});
  lanes.not_busy(kTenant, Instant{10min + 5s});
  EXPECT_EQ(lanes.next_unpark(), Instant{10min + 5s + kBusyParkMin});
  lanes.not_busy(kTenant, Instant{10min + 5s + 100ms});
  EXPECT_EQ(lanes.next_unpark(), Instant{10min + 5s + kBusyParkMin});
  lanes.unpark_due(*lanes.next_unpark());
  EXPECT_TRUE(is_open());
  EXPECT_EQ(parked_for(lanes, Instant{11min}), kBusyParkMin);
}

TEST_F(LanesTest, WhatSaysLittleOfTheTenantDoesNotLengthenItsWait) {
  lanes.scanned(kLane);
  Instant now{1s};
  for (int released = 0; released < 5; ++released, now = now + 60s) {
    lanes.park_busy(kTenant, now, TenantPause::flat);
    EXPECT_EQ(lanes.next_unpark(), now + kBusyParkMin);
    lanes.unpark_due(now + kBusyParkMin);
  }
}

TEST_F(LanesTest, TroubleIsLookedAtAgainWithinSeconds) {
  lanes.scanned(kLane);
  Instant now{1s};
  for (const auto wait : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 4000ms}) {
    lanes.park_busy(kTenant, now, TenantPause::trouble);
    EXPECT_EQ(lanes.next_unpark(), now + wait);
    lanes.unpark_due(now + wait);
    now = now + 60s;
  }
}

// What is left of a tenant's lanes to be claimed at this moment.
std::size_t claimable(const Lanes& lanes) {
  const auto standing = lanes.ring(0).first();
  return standing ? lanes.jobs_max(0, 0, *standing) : 0;
}

TEST_F(LanesTest, ATenantWhoseWaitIsOverIsTriedByOneJob) {
  lanes.scanned(kLane);
  Lane other = kLane;
  other.priority = Priority{7};
  lanes.scanned(other);
  lanes.park_busy(kTenant, Instant{0s}, TenantPause::trouble);
  lanes.unpark_due(Instant{kBusyParkMin});
  EXPECT_EQ(claimable(lanes), 1U);
  const ClaimRequest probe = request(1);
  EXPECT_FALSE(is_open()) << "one is on its way";
  lanes.settle(probe, reply({1}), JobSeq{1});
  EXPECT_FALSE(is_open()) << "and runs";
  lanes.not_busy(kTenant, Instant{1s});
  EXPECT_GT(claimable(lanes), 1U) << "it went well";
}

TEST_F(LanesTest, AJobThatTriedInVainIsFollowedByAnother) {
  lanes.scanned(kLane);
  lanes.park_busy(kTenant, Instant{0s}, TenantPause::trouble);
  lanes.unpark_due(Instant{kBusyParkMin});
  lanes.forget_plan(request(1));
  EXPECT_EQ(claimable(lanes), 1U) << "its round failed";
  lanes.settle(request(1), reply({1}), JobSeq{1});
  lanes.tried_in_vain(kTenant);
  EXPECT_EQ(claimable(lanes), 1U) << "it came back without having run";
  lanes.settle(request(1), reply({2}), JobSeq{2});
  EXPECT_FALSE(is_open());
  lanes.unpark_due(Instant{kBusyParkMin + kProbeMax});
  EXPECT_EQ(claimable(lanes), 1U) << "it does not end";
}

TEST_F(LanesTest, ATenantThatIsDeletedWhileItIsParkedIsForgotten) {
  lanes.scanned(kLane);
  Lane other = kLane;
  other.priority = Priority{7};
  lanes.scanned(other);
  lanes.set_tenant_state(kTenant, TenantState::paused);
  ASSERT_EQ(lanes.parked_tenants(10), std::vector{kTenant});
  lanes.set_tenant_state(kTenant, TenantState::deleted);
  EXPECT_TRUE(lanes.parked_tenants(10).empty());
  EXPECT_EQ(lanes.count(), 0);
}

TEST_F(LanesTest, ABusyTenantIsForgottenTenMinutesAfterItsWait) {
  lanes.scanned(kLane);
  EXPECT_EQ(parked_for(lanes, Instant{0s}), kBusyParkMin);
  lanes.unpark_due(Instant{kBusyParkMin + kBusyForget - 1us});
  EXPECT_EQ(parked_for(lanes, Instant{kBusyForget}), 2 * kBusyParkMin);
  lanes.unpark_due(Instant{2 * kBusyForget + 2 * kBusyParkMin});
  EXPECT_EQ(parked_for(lanes, Instant{3 * kBusyForget}), kBusyParkMin);
}

TEST_F(LanesTest, RTY_05_AKindThatThePoolDoesNotPerformIsParkedUntilAHelloNamesIt) {
  Lane lane = kLane;
  lane.kind = KindNumber{8};
  lanes.scanned(lane);
  EXPECT_EQ(lanes.unnamed_kinds(10), std::vector{KindNumber{8}});
  lanes.name_kinds({KindNumber{8}}, {"report"});
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.parked(), 1);
  const std::size_t offer = lanes.process_came(0, {"job", "report"});
  EXPECT_TRUE(lanes.ring(0).first(offer));
  EXPECT_FALSE(is_open()) << "the other process still does not perform it";
  EXPECT_EQ(lanes.parked(), 0);
}

TEST_F(LanesTest, RTY_05_ALaneIsParkedWhenTheLastProcessThatOffersItsKindIsGone) {
  Lane report = kLane;
  report.kind = KindNumber{8};
  lanes.name_kinds({KindNumber{8}}, {"report"});
  const std::size_t offer = lanes.process_came(0, {"job", "report"});
  EXPECT_EQ(lanes.process_came(0, {"job", "report"}), offer);
  lanes.arrived(report, place(4));
  lanes.process_went(0, offer);
  EXPECT_TRUE(lanes.ring(0).first(offer));
  lanes.process_went(0, offer);
  EXPECT_FALSE(lanes.ring(0).first(offer));
  EXPECT_EQ(lanes.parked(), 1);
  EXPECT_EQ(lanes.count(), 1);
}

TEST_F(LanesTest, TheLastProgramOfAPoolKeepsItsOrderUntilTheNextHello) {
  lanes.arrived(kLane, place(4));
  lanes.process_went(0, 0);
  EXPECT_EQ(lanes.parked(), 1);
  EXPECT_TRUE(is_open()) << "in the order, though nothing can be claimed";
  EXPECT_EQ(lanes.process_came(0, {"report"}), 0U);
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.process_came(0, {"job"}), 1U);
  EXPECT_TRUE(lanes.ring(0).first(1));
  EXPECT_EQ(lanes.parked(), 0);
}

TEST_F(LanesTest, WhatIsPlannedForOneProgramLeavesTheKindsOfTheOtherToIt) {
  const std::size_t other = lanes.process_came(0, {"report"});
  lanes.name_kinds({KindNumber{8}}, {"report"});
  Lane report = kLane;
  report.kind = KindNumber{8};
  for (std::int64_t seq = 1; seq <= 3; ++seq) lanes.arrived(kLane, place(seq));
  lanes.arrived(report, place(9));
  lanes.planned(0, 0, *lanes.ring(0).first(), {}, 3);
  EXPECT_FALSE(is_open());
  ASSERT_TRUE(lanes.ring(0).first(other));
  EXPECT_EQ(lanes.jobs_max(0, other, *lanes.ring(0).first(other)), 1U);
}

TEST_F(LanesTest, CLM_11_AQueueThatNoPoolListsIsParked) {
  Lane lane = kLane;
  lane.queue = QueueNumber{2};
  lanes.scanned(lane);
  EXPECT_EQ(lanes.unnamed_queues(10), std::vector{QueueNumber{2}});
  lanes.name_queue(QueueNumber{2}, "elsewhere");
  EXPECT_TRUE(lanes.unnamed_queues(10).empty());
  EXPECT_FALSE(is_open());
  EXPECT_EQ(lanes.parked(), 1);
}

TEST(LanesOfTwoPools, AQueueOfBothStandsInBothRings) {
  Lanes lanes({PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"urgent", "default"}}});
  lanes.name_queue(QueueNumber{1}, "default");
  lanes.name_kinds({kKind}, {"job"});
  static_cast<void>(lanes.process_came(0, {"job"}));
  static_cast<void>(lanes.process_came(1, {"job"}));
  lanes.arrived(kLane, place(4));
  ASSERT_TRUE(lanes.ring(0).first());
  ASSERT_TRUE(lanes.ring(1).first());
  lanes.planned(0, 0, *lanes.ring(0).first(), {}, 1);
  EXPECT_FALSE(lanes.ring(1).first());
}

// Programs N-1 and N, in a pool each.
struct LanesOfTwoPrograms : ::testing::Test {
  using Newest = std::map<std::string, std::int64_t>;
  LanesOfTwoPrograms() {
    lanes.name_queue(QueueNumber{1}, "default");
    lanes.name_kinds({kKind}, {"job"});
    former = lanes.process_came(0, {"job"}, {}, {}, {}, Newest{{"job", 1}});
    lanes.arrived(kLane, place(4));
  }
  void next_comes() { next = lanes.process_came(1, {"job"}, {}, {}, {}, Newest{{"job", 2}}); }
  bool former_tries() const {
    const bool tries = lanes.performs(0, former, kLane);
    EXPECT_EQ(lanes.ring(0).first(former).has_value(), tries);
    return tries;
  }
  bool next_tries() const { return lanes.performs(1, next, kLane) && lanes.ring(1).first(next); }

  Lanes lanes{{PoolSettings{"one", 1, {"default"}}, PoolSettings{"two", 1, {"default"}}}};
  std::size_t former = 0, next = 0;
};

TEST_F(LanesOfTwoPrograms, ATenantThatTheFormerOneCannotUseIsTheNextOnesWhileThatLives) {
  next_comes();
  const Lane other{kLane.queue, kLane.priority, TenantNumber{9}, kKind};
  EXPECT_TRUE(former_tries());
  lanes.was_refused(0, former, kLane);
  EXPECT_FALSE(former_tries());
  EXPECT_TRUE(next_tries());
  EXPECT_TRUE(lanes.performs(0, former, other));
  lanes.process_went(1, next);
  EXPECT_TRUE(former_tries());
  next_comes();
  EXPECT_TRUE(former_tries()) << "it is found out anew";
}

TEST_F(LanesOfTwoPrograms, WhereNoNextOneTakesItTheFormerOneTriesOn) {
  lanes.was_refused(0, former, kLane);
  EXPECT_TRUE(former_tries()) << "there is none";
  next_comes();
  EXPECT_TRUE(former_tries()) << "nothing is kept of the time before it";
  lanes.was_refused(1, next, kLane);
  EXPECT_TRUE(next_tries()) << "nobody is newer than it";
  lanes.name_tenant(kTenant, "acme");
  lanes.set_pool_tenants(1, {queue::PoolTenants::Rule::only, {"bolt"}});
  lanes.was_refused(0, former, kLane);
  EXPECT_TRUE(former_tries()) << "its pool leaves the tenant out";
}

TEST_F(LanesOfTwoPrograms, AProcessToWhichItDoesNotMatterTakesWhatTheFormerOneCannot) {
  next = lanes.process_came(1, {"job"});
  lanes.was_refused(0, former, kLane);
  EXPECT_FALSE(former_tries());
  EXPECT_TRUE(next_tries());
}

// A hundred thousand times this is asked each 15 seconds.
TEST(LanesOfTwoPools, WhoIsHeldIsAskedOnceForAllTenantsThatThePoolsTreatAlike) {
  const auto only = [](std::vector<std::string> names) {
    return queue::PoolTenants{queue::PoolTenants::Rule::only, std::move(names)};
  };
  Lanes lanes({PoolSettings{.name = "one", .queues = {"default"}, .tenants = only({"t7"})},
               PoolSettings{.name = "two", .queues = {"default"}, .tenants = only({"t8", "t9"})}});
  lanes.name_queue(QueueNumber{1}, "default");
  lanes.name_kinds({kKind, KindNumber{4}}, {"job", "unknown"});
  static_cast<void>(lanes.process_came(0, {"job"}));
  static_cast<void>(lanes.process_came(1, {"job"}));
  constexpr std::int64_t kTenants = 5'000;
  for (std::int64_t tenant = 1; tenant <= kTenants; ++tenant)
    for (const KindNumber kind : {kKind, KindNumber{4}})
      lanes.arrived(Lane{QueueNumber{1}, Priority{0}, TenantNumber{tenant}, kind}, place(tenant));
  for (std::int64_t tenant = 1; tenant <= kTenants; ++tenant)
    lanes.name_tenant(TenantNumber{tenant}, "t" + std::to_string(tenant));
  std::size_t asked = 0;
  const std::vector<HeldLane> held = lanes.held(&asked);
  EXPECT_LE(asked, 6U) << "two kinds, of those of each pool and of all others";
  std::vector<std::pair<queue::JobReason, std::string>> found;
  for (const HeldLane& lane : held) found.emplace_back(lane.reason, lane.kind);
  using enum queue::JobReason;
  const std::vector<std::pair<queue::JobReason, std::string>> expected{
      {tenant_without_pool, "job"}, {kind_unknown, "unknown"}, {tenant_without_pool, "unknown"}};
  EXPECT_EQ(found, expected);
}

TEST(KeptRooms, CountsEachPoolOnceForAllWhoAreLookedAtTogether) {
  DispatcherSettings settings;
  settings.pools = {PoolSettings{.name = "one", .queues = {"default"}, .reserved = {{Priority{-10}, 1}}},
                    PoolSettings{.name = "two", .queues = {"default"}}};
  Processes processes(settings);
  KeptRooms rooms(settings, processes);
  for (int suspect = 0; suspect < 1'000; ++suspect)
    EXPECT_EQ(rooms.of(0).room(Priority{0}), rooms.of(0).room(Priority{1}));
  EXPECT_EQ(rooms.counted(), 1U);
  static_cast<void>(rooms.of(1));
  EXPECT_EQ(rooms.counted(), 2U);
}

}  // namespace
}  // namespace tenure::daemon
