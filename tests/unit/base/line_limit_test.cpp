#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tenure {
namespace {

using namespace std::chrono_literals;

TEST(LineLimit, OneOfManyPassesEachSecondAndSaysHowManyWereLeftOut) {
  LineLimit limit;
  EXPECT_EQ(limit.pass(Instant{0s}), 0);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.pass(Instant{999'999us}), std::nullopt);
  EXPECT_EQ(limit.pass(Instant{1s}), 5);
  EXPECT_EQ(limit.pass(Instant{1'500ms}), std::nullopt);
  EXPECT_EQ(limit.pass(Instant{9s}), 1);
  EXPECT_EQ(limit.pass(Instant{10s}), 0);
}

// A line that a test before has used up would be missing in the next one of the same process.
TEST(LineLimit, BeginsAnewWhereSomebodyBeginsToReadTheLines) {
  LineLimit limit;
  EXPECT_EQ(limit.pass(Instant{1s}), 0);
  EXPECT_EQ(limit.pass(Instant{1s}), std::nullopt);
  std::vector<std::string> lines;
  log::capture_for_test(&lines);
  EXPECT_EQ(limit.pass(Instant{1s}), 0);
  EXPECT_EQ(limit.pass(Instant{1s}), std::nullopt);
  log::capture_for_test(nullptr);
  EXPECT_EQ(limit.pass(Instant{1s}), 0);
}

TEST(LineLimit, WhatWasLeftOutIsSaidOnlyWhereThereIsSome) {
  EXPECT_EQ(left_out_text(0), "");
  EXPECT_EQ(left_out_text(12), " (and 12 more that are not shown)");
}

}  // namespace
}  // namespace tenure
