#include "run_tape.hpp"

#include <tenure/base/clock.hpp>

#include <gmock/gmock.h>

#include <stdexcept>

namespace tenure::testing {
namespace {

constexpr std::size_t kMegabyte = 1UL << 20U;
constexpr int kMegabytesMax = 64;

class RunTapeBudget : public ::testing::Test {
 protected:
  static queue::NewJob job_of(std::size_t bytes) {
    queue::NewJob job;
    job.arguments = std::string(bytes, 'x');
    return job;
  }
  void expect_given_up() {
    ASSERT_TRUE(tape_.trouble());
    EXPECT_EQ(tape_.trouble()->code, ErrorCode::limit_reached);
    EXPECT_TRUE(tape_.record().jobs.empty());
    EXPECT_TRUE(tape_.record().calls.empty()) << "nothing is held of what will not be told";
  }

  VirtualClock clock_;
  detail::RunTape tape_{1, clock_};
};

TEST_F(RunTapeBudget, JobsAreKeptUpToABoundAndTheRunGoesOn) {
  for (int i = 0; i < kMegabytesMax - 1; ++i) tape_.enqueued({job_of(kMegabyte)});
  EXPECT_FALSE(tape_.trouble());
  EXPECT_EQ(tape_.record().jobs.size(), 63U);
  tape_.enqueued({job_of(kMegabyte)});
  expect_given_up();
  tape_.enqueued({job_of(1)});
  expect_given_up();
  static_assert(noexcept(tape_.enqueued({})), "it is called behind a commit");
}

TEST_F(RunTapeBudget, JobsOfATransactionAreHeldNoLongerWhereTheyCannotBeKept) {
  EXPECT_TRUE(tape_.has_room_for(63 * kMegabyte));
  EXPECT_TRUE(tape_.has_room_for(63 * kMegabyte)) << "it was only asked";
  tape_.enqueued({job_of(2 * kMegabyte)});
  EXPECT_FALSE(tape_.has_room_for(63 * kMegabyte));
  expect_given_up();
}

TEST_F(RunTapeBudget, WhatCallsThrewCountsAsTheirValuesDo) {
  const auto fail = [&] {
    tape_.call(
        "charge", [] { throw std::runtime_error(std::string(kMegabyte, 'x')); },
        [] { return std::string(); });
  };
  for (int i = 0; i < kMegabytesMax - 1; ++i) EXPECT_THROW(fail(), std::runtime_error);
  EXPECT_FALSE(tape_.trouble());
  EXPECT_THROW(fail(), std::runtime_error);
  expect_given_up();
}

TEST_F(RunTapeBudget, CallsAndJobsHaveOneTogether) {
  for (int i = 0; i < kMegabytesMax / 2; ++i) {
    tape_.call(
        "rate", [] {}, [] { return std::string(kMegabyte, 'x'); });
    tape_.enqueued({job_of(kMegabyte)});
  }
  expect_given_up();
}

}  // namespace
}  // namespace tenure::testing
