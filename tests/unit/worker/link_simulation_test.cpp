#include <gtest/gtest.h>

#include <iostream>
#include <support/link_simulation.hpp>

namespace tenure::simulation {
namespace {

using LeaveReason = daemon::WorkerEnd::LeaveReason;

constexpr std::uint64_t kSeedsPerFault = 300;

LinkVerdict outcome_of(LinkFault fault, std::uint64_t seed) {
  LinkSimulation simulation{{.seed = seed,
                             .slots = static_cast<std::uint16_t>(1 + seed % 4),
                             .jobs = 20 + static_cast<std::int64_t>(seed % 30),
                             .fault = fault}};
  simulation.run();
  return simulation.verdict();
}

void expect_safe(const LinkVerdict& verdict) {
  EXPECT_EQ(verdict.duplicated, 0);
  EXPECT_EQ(verdict.misreported, 0);
  EXPECT_EQ(verdict.over_slots, 0);
  EXPECT_EQ(verdict.after_the_end, 0);
  EXPECT_EQ(verdict.without_token, 0);
}

void expect_clean_course(const LinkVerdict& verdict) {
  EXPECT_EQ(verdict.lost, 0);
  EXPECT_EQ(verdict.pongs_missing, 0);
  EXPECT_FALSE(verdict.broken) << *verdict.broken;
  ASSERT_TRUE(verdict.left);
  EXPECT_EQ(verdict.left->reason, LeaveReason::drained) << verdict.left->cause;
  EXPECT_TRUE(verdict.is_over);
}

void expect_as_after(LinkFault fault, const LinkVerdict& verdict) {
  if (is_harmless(fault) || !verdict.is_fault_done) return expect_clean_course(verdict);
  if (fault == LinkFault::worker_dies) {
    EXPECT_TRUE(verdict.is_over);
  } else if (is_of_worker(fault)) {
    EXPECT_TRUE(verdict.broken) << "the daemon did not notice";
    EXPECT_TRUE(verdict.is_over);
  } else {
    ASSERT_TRUE(verdict.left) << "the worker did not notice";
    // With nothing left to do it had gone before it could read that.
    if (fault == LinkFault::job_assigned_after_drain && verdict.left->reason == LeaveReason::drained) return;
    const bool is_dead = fault == LinkFault::daemon_dies;
    EXPECT_EQ(verdict.left->reason, is_dead ? LeaveReason::stream_ended : LeaveReason::protocol_violation);
    EXPECT_TRUE(is_dead || verdict.is_over);
  }
}

TEST(LinkSimulation, LSE_15_WhateverOneEndSaysTheOtherStaysRight) {
  std::int64_t courses = 0;
  std::int64_t faults = 0;
  std::int64_t jobs = 0;
  std::int64_t reports = 0;
  for (int kind = 0; kind <= static_cast<int>(kLastLinkFault); ++kind) {
    const auto fault = static_cast<LinkFault>(kind);
    for (std::uint64_t seed = 1; seed <= kSeedsPerFault; ++seed) {
      SCOPED_TRACE(std::string{name_of(fault)} + ", seed " + std::to_string(seed));
      const LinkVerdict verdict = outcome_of(fault, seed);
      expect_safe(verdict);
      expect_as_after(fault, verdict);
      if (HasFailure()) return;
      ++courses;
      faults += verdict.is_fault_done ? 1 : 0;
      jobs += verdict.assigned;
      reports += verdict.reported;
    }
  }
  EXPECT_GT(faults, courses * 9 / 10 - static_cast<std::int64_t>(kSeedsPerFault));
  std::cout << "courses=" << courses << " faults=" << faults << " jobs=" << jobs << " reports=" << reports
            << " lost=0 duplicated=0 misreported=0\n";
}

TEST(LinkSimulation, OneSeedIsOneCourse) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(outcome_of(LinkFault::none, seed).course, outcome_of(LinkFault::none, seed).course);
    EXPECT_NE(outcome_of(LinkFault::none, seed).course, outcome_of(LinkFault::none, seed + 1).course);
  }
}

}  // namespace
}  // namespace tenure::simulation
