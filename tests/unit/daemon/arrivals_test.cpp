#include "arrivals.hpp"

#include "rounds_by_hand.hpp"

#include <tenure/daemon/round.hpp>

#include <gtest/gtest.h>

namespace tenure::daemon {
namespace {

using queue::JobArrival;
using queue::JobSeq;
using queue::JobState;
using queue::Lane;

JobArrival row(std::int64_t seq, JobState state = JobState::ready, std::int64_t due_us = 0) {
  return {JobSeq{seq}, kLane, from_us(due_us), state};
}

Lane of_tenant(std::int64_t number, std::int64_t kind = 3) {
  Lane lane = kLane;
  lane.tenant = TenantNumber{number};
  lane.kind = queue::KindNumber{kind};
  return lane;
}

class ArrivalsTest : public ::testing::Test {
 protected:
  Lanes lanes{{PoolSettings{"default", 1, {"default"}}}};
  Arrivals arrivals{lanes};
};

TEST_F(ArrivalsTest, AReadyJobMakesItsLaneKnownAndAScheduledOneOnlySaysWhenItIsDue) {
  arrivals.came(std::vector{row(1, JobState::scheduled, 900), row(2, JobState::scheduled, 300),
                            row(3, JobState::succeeded), row(4, JobState::blocked)});
  EXPECT_EQ(lanes.count(), 0);
  EXPECT_EQ(arrivals.next_due(), from_us(300));
  EXPECT_FALSE(arrivals.has_due(from_us(299)));
  EXPECT_TRUE(arrivals.has_due(from_us(300)));
  arrivals.came(row(5));
  EXPECT_EQ(lanes.count(), 1);
  arrivals.next_due_is(std::nullopt);
  EXPECT_FALSE(arrivals.has_due(WallTime::max()));
}

TEST_F(ArrivalsTest, TheScanGoesOnBehindItsLastLaneAndNamesEachTenantOnce) {
  EXPECT_FALSE(arrivals.scanned_until());
  arrivals.scanned({of_tenant(5), of_tenant(5, 4), of_tenant(6)});
  EXPECT_EQ(arrivals.scanned_until(), of_tenant(6));
  EXPECT_EQ(lanes.count(), 3);
  arrivals.scanned({});
  EXPECT_EQ(arrivals.scanned_until(), of_tenant(6));
  const std::vector<TenantNumber> tenants{TenantNumber{5}, TenantNumber{6}};
  EXPECT_EQ(arrivals.take_scanned_tenants(), tenants);
  EXPECT_TRUE(arrivals.take_scanned_tenants().empty());
  arrivals.ask_again(tenants);
  EXPECT_EQ(arrivals.take_scanned_tenants(), tenants);
}

TEST_F(ArrivalsTest, TheTailNeverGoesBackAndCountsNoJobThatIsOutstanding) {
  arrivals.tail_begins_behind(JobSeq{100});
  arrivals.tail(row(101), true);
  EXPECT_EQ(arrivals.last_seq(), JobSeq{101});
  EXPECT_EQ(lanes.count(), 0);
  arrivals.tail(row(103), false);
  arrivals.tail(row(102), false);
  EXPECT_EQ(arrivals.last_seq(), JobSeq{103});
  EXPECT_EQ(lanes.count(), 1);
}

TEST_F(ArrivalsTest, BlockedJobsAreLookedAtPageByPageAfterAHelloAndAgainAfterAnother) {
  EXPECT_FALSE(arrivals.blocked_after());
  arrivals.look_at_blocked();
  EXPECT_EQ(arrivals.blocked_after(), JobSeq{0});
  std::vector<JobArrival> full;
  for (std::size_t index = 0; index < kRoundRowsMax; ++index)
    full.push_back(row(static_cast<std::int64_t>(index) + 1));
  arrivals.unblocked(full);
  EXPECT_EQ(arrivals.blocked_after(), full.back().seq);
  arrivals.look_at_blocked();
  EXPECT_EQ(arrivals.blocked_after(), full.back().seq) << "the look goes on first";
  full.pop_back();
  arrivals.unblocked(full);
  EXPECT_EQ(arrivals.blocked_after(), JobSeq{0}) << "then once more from the front";
  arrivals.unblocked({});
  EXPECT_FALSE(arrivals.blocked_after());
}

}  // namespace
}  // namespace tenure::daemon
