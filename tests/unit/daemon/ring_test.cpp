#include "ring.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tenure::daemon {
namespace {

using queue::Priority;
using queue::ProcessNumber;
using queue::QueueNumber;

constexpr TenantNumber kA{1};
constexpr TenantNumber kB{2};
constexpr TenantNumber kC{3};
const Bucket kFirst{QueueNumber{1}, Priority{0}};
const Bucket kSecond{QueueNumber{2}, Priority{0}};
constexpr ProcessNumber kProcess{1};

Ring ring_of_both() {
  Ring ring;
  ring.list_queue(kFirst.queue, 0);
  ring.list_queue(kSecond.queue, 1);
  return ring;
}

std::vector<TenantNumber> order(const Ring& ring) {
  std::vector<TenantNumber> tenants;
  for (auto place = ring.first(); place; place = ring.after(*place)) tenants.push_back(place->tenant);
  return tenants;
}

TEST(Ring, LeastVirtualTimeIsNext) {
  Ring ring = ring_of_both();
  for (const TenantNumber tenant : {kA, kB, kC}) ring.join(kFirst, tenant);
  ring.charge(kA, 30);
  ring.charge(kB, 10);
  EXPECT_EQ(order(ring), (std::vector{kC, kB, kA}));
  ring.charge(kC, 20);
  EXPECT_EQ(order(ring), (std::vector{kB, kC, kA}));
}

TEST(Ring, ABetterBucketIsAlwaysFirst) {
  Ring ring = ring_of_both();
  ring.join(kSecond, kA);
  ring.join(kFirst, kB);
  ring.charge(kB, 1'000'000);
  EXPECT_EQ(order(ring), (std::vector{kB, kA}));
  ring.leave(kFirst, kB);
  EXPECT_EQ(order(ring), (std::vector{kA}));
}

TEST(Ring, JoiningTwiceIsOnce) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.join(kFirst, kA);
  ring.leave(kFirst, kA);
  ring.leave(kFirst, kA);
  EXPECT_FALSE(ring.first());
}

TEST(Ring, CLM_22_WhoComesBackHasNoCreditForIdling) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.join(kFirst, kB);
  ring.leave(kFirst, kB);
  ring.charge(kA, 3'600'000'000);
  ring.served(*ring.first());
  ring.join(kFirst, kB);
  EXPECT_EQ(ring.virtual_us(kB), ring.virtual_us(kA));
}

TEST(Ring, CLM_22_WhoRanAloneForLongHasNoDebt) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.charge(kA, 3'600'000'000);
  ring.join(kFirst, kB);
  EXPECT_EQ(ring.virtual_us(kB), ring.virtual_us(kA));
}

TEST(Ring, WhoComesStartsBeforeRunsThatAreChargedButHaveNotBegun) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.charge(kA, 5000);
  ring.set_ahead(2000);
  ring.join(kFirst, kB);
  EXPECT_EQ(ring.virtual_us(kB), 2999);
}

TEST(Ring, AShortAbsenceDoesNotShedWhatWasUsed) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.join(kFirst, kB);
  ring.charge(kB, 1000);
  ring.leave(kFirst, kB);
  ring.join(kFirst, kB);
  EXPECT_EQ(ring.virtual_us(kB), 1000);
}

TEST(Ring, AnAbsenceIsForgottenOnceTheOthersHaveCaughtUp) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.join(kFirst, kB);
  ring.charge(kB, 1000);
  ring.leave(kFirst, kB);
  EXPECT_EQ(ring.flows(), 2U);
  ring.charge(kA, 1000);
  ring.served(*ring.first());
  EXPECT_EQ(ring.flows(), 1U);
}

TEST(Ring, WhereNobodyIsLeftEveryAccountBeginsAnew) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.charge(kA, 1000);
  ring.assigned(kA, kProcess, 1);
  ring.leave(kFirst, kA);
  EXPECT_EQ(ring.flows(), 1U);
  ring.ended(kA, kProcess);
  EXPECT_EQ(ring.flows(), 0U);
}

TEST(Ring, AStarvedTenantGivesNewcomersOfABetterQueueNoCredit) {
  Ring ring = ring_of_both();
  ring.join(kSecond, kC);  // never gets a turn
  ring.join(kFirst, kA);
  ring.charge(kA, 3'600'000'000);
  ring.join(kFirst, kB);
  EXPECT_EQ(ring.virtual_us(kB), ring.virtual_us(kA));
}

TEST(Ring, ARunThatIsCorrectedAfterALiftCountsOnce) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA);
  ring.join(kFirst, kB);
  ring.charge(kA, 10);  // assumed
  ring.assigned(kA, kProcess, 1);
  ring.leave(kFirst, kA);
  ring.charge(kB, 5000);
  ring.join(kFirst, kA);  // lifted to 5000 while it runs
  EXPECT_EQ(ring.virtual_us(kA), 5000);
  ring.correct(kA, 4990);  // it was 5000 in truth
  EXPECT_EQ(ring.virtual_us(kA), 5000);
  ring.correct(kA, 100);
  EXPECT_EQ(ring.virtual_us(kA), 5100);
}

TEST(Ring, CountsOutstandingJobsByProcess) {
  Ring ring = ring_of_both();
  ring.assigned(kA, kProcess, 2);
  ring.assigned(kA, ProcessNumber{2}, 1);
  EXPECT_EQ(ring.outstanding(kA), 3);
  EXPECT_EQ(ring.outstanding(kA, kProcess), 2);
  ring.ended(kA, kProcess);
  ring.ended(kA, kProcess);
  EXPECT_EQ(ring.outstanding(kA, kProcess), 0);
  EXPECT_EQ(ring.outstanding(kA), 1);
}

TEST(Ring, TellsOfNewcomersOnceAndOfAtMostSoMany) {
  Ring ring = ring_of_both();
  for (std::size_t tenant = 1; tenant <= kNewcomersMax + 5; ++tenant) {
    ring.join(kFirst, TenantNumber{static_cast<std::int64_t>(tenant)});
  }
  EXPECT_EQ(ring.take_newcomers().size(), kNewcomersMax);
  EXPECT_TRUE(ring.take_newcomers().empty());
}

TEST(Ring, EachProgramHasItsOwnOrderAndATenantOneVirtualTimeInAll) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA, 0);
  ring.join(kFirst, kA, 1);
  ring.join(kFirst, kB, 1);
  ring.charge(kA, 10);
  EXPECT_EQ(ring.first(0)->tenant, kA);
  EXPECT_EQ(ring.first(1)->tenant, kB);
  EXPECT_EQ(ring.after(*ring.first(1), 1)->virtual_us, 10);
  EXPECT_FALSE(ring.after(*ring.first(0), 0));
  EXPECT_FALSE(ring.first(2));
  ring.leave(kFirst, kA, 0);
  EXPECT_FALSE(ring.is_in(kFirst, kA, 0));
  EXPECT_TRUE(ring.is_in(kFirst, kA, 1));
  EXPECT_EQ(ring.standing_of(kA)->virtual_us, 10);
}

TEST(Ring, ANewcomerStartsAtTheLeastVirtualTimeOfItsBucketInWhateverProgram) {
  Ring ring = ring_of_both();
  ring.join(kFirst, kA, 0);
  ring.charge(kA, 50);
  ring.join(kFirst, kB, 1);
  EXPECT_EQ(ring.virtual_us(kB), 50);
}

}  // namespace
}  // namespace tenure::daemon
