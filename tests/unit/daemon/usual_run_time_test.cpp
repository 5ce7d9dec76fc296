#include "usual_run_time.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;
using queue::KindNumber;

TEST(UsualRunTime, IsAGuessUntilTheFirstRun) {
  UsualRunTimes usual;
  EXPECT_EQ(usual.of(KindNumber{1}), kUsualRunTimeGuess);
  usual.learn(KindNumber{1}, 300us);
  EXPECT_EQ(usual.of(KindNumber{1}), 300us);
  EXPECT_EQ(usual.of(KindNumber{2}), kUsualRunTimeGuess);
}

TEST(UsualRunTime, IsTheMeanOfTheFirstRunsAndThenFollowsSlowly) {
  UsualRunTimes usual;
  for (int run = 0; run < kUsualRunSamples; ++run) usual.learn(KindNumber{1}, run % 2 == 0 ? 100us : 300us);
  EXPECT_NEAR(static_cast<double>(usual.of(KindNumber{1}).count()), 200, 2);
  usual.learn(KindNumber{1}, 1000us);
  EXPECT_NEAR(static_cast<double>(usual.of(KindNumber{1}).count()), 300, 3);
}

TEST(UsualRunTime, IsNeverLessThanAMicrosecondAndSurvivesAWildClock) {
  UsualRunTimes usual;
  usual.learn(KindNumber{1}, 0us);
  EXPECT_EQ(usual.of(KindNumber{1}), 1us);
  usual.learn(KindNumber{2}, -5s);
  EXPECT_EQ(usual.of(KindNumber{2}), 1us);
  for (int run = 0; run < 100; ++run) usual.learn(KindNumber{3}, std::chrono::microseconds::max());
  EXPECT_GT(usual.of(KindNumber{3}), 24h);
}

}  // namespace
}  // namespace tenure::daemon
