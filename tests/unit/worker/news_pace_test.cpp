#include <gtest/gtest.h>

#include <chrono>
#include <worker/news_pace.hpp>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1s};

TEST(NewsPace, TheFirstIsSentAtOnceAndTheNextNotBeforeItsTime) {
  NewsPace pace;
  EXPECT_EQ(pace.wait(kNow), 0us);
  EXPECT_TRUE(pace.may_send(kNow, false));
  EXPECT_EQ(pace.wait(kNow), kNewsEvery);
  EXPECT_EQ(pace.wait(kNow + 30ms), kNewsEvery - 30ms);
  EXPECT_EQ(pace.wait(kNow + 10s), 0us);
}

// However often the moment comes while a daemon reads nothing, it is one frame of each run that is sent then.
TEST(NewsPace, WhileBytesAreOnTheirWayNothingIsSentAndBehindThemOnce) {
  NewsPace pace;
  EXPECT_FALSE(pace.may_send_late(kNow)) << "nothing is new";
  for (int moment = 0; moment < 1000; ++moment) EXPECT_FALSE(pace.may_send(kNow + moment * 100ms, true));
  EXPECT_TRUE(pace.may_send_late(kNow + 200s));
  EXPECT_FALSE(pace.may_send_late(kNow + 200s));
  EXPECT_EQ(pace.wait(kNow + 200s), kNewsEvery);
}

TEST(NewsPace, WhatIsSentMeanwhileIsNotLateAnyMore) {
  NewsPace pace;
  EXPECT_FALSE(pace.may_send(kNow, true));
  EXPECT_TRUE(pace.may_send(kNow + 1s, false));
  EXPECT_FALSE(pace.may_send_late(kNow + 1s));
}

}  // namespace
}  // namespace tenure::daemon
