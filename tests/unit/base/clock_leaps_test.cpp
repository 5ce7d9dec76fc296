#include <tenure/base/clock_leaps.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace tenure {
namespace {

using namespace std::chrono_literals;

class ClockLeapsTest : public ::testing::Test {
 protected:
  bool look() { return leaps_.saw(clock_.wall(), clock_.steady()); }
  bool has_leapt(std::chrono::microseconds within) {
    return leaps_.has_leapt_within(within, clock_.steady());
  }
  VirtualClock clock_;
  ClockLeaps leaps_;
};

TEST_F(ClockLeapsTest, TimeThatPassesIsNoLeap) {
  EXPECT_FALSE(look());
  for (const std::chrono::seconds gone : {0s, 1s, 3600s, 40'000'000s}) {
    clock_.advance(gone);
    EXPECT_FALSE(look());
  }
  EXPECT_FALSE(has_leapt(24h * 365 * 100));
}

TEST_F(ClockLeapsTest, ACorrectionAndTheDriftOfALongTimeAreNoLeap) {
  static_cast<void>(look());
  clock_.jump_wall(1min);
  EXPECT_FALSE(look());
  clock_.advance(1000h);
  clock_.jump_wall(1h + 1min);
  EXPECT_FALSE(look());
  clock_.jump_wall(1min + 1us);
  EXPECT_TRUE(look());
}

TEST_F(ClockLeapsTest, ALeapIsRememberedBySteadyTime) {
  static_cast<void>(look());
  clock_.jump_wall(1h);
  EXPECT_TRUE(look());
  EXPECT_FALSE(look()) << "once";
  clock_.advance(10s);
  EXPECT_TRUE(has_leapt(10s + 1us));
  EXPECT_FALSE(has_leapt(10s));
  clock_.jump_wall(-24h * 365);
  EXPECT_FALSE(look()) << "back is no leap";
  clock_.jump_wall(24h * 365);
  EXPECT_TRUE(look()) << "and forward again is one";
  EXPECT_TRUE(has_leapt(1us));
}

}  // namespace
}  // namespace tenure
