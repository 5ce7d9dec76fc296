#include "write_lane.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace tenure::detail {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

TEST(WriteLane, HND_08_WaitersAreServedInTheOrderInWhichTheyCame) {
  WriteLane lane;
  std::optional<WriteLane::Turn> turn = lane.wait(kLong);
  std::vector<int> served;  // written only by whoever has the turn
  std::vector<std::jthread> writers;
  for (int number = 0; number < 16; ++number) {
    writers.emplace_back([&, number] {
      const std::optional<WriteLane::Turn> mine = lane.wait(kLong);
      served.push_back(number);
    });
    while (lane.queued_for_test() != static_cast<std::size_t>(number) + 2) std::this_thread::yield();
  }
  turn.reset();
  writers.clear();
  std::vector<int> expected(16);
  for (int number = 0; number < 16; ++number) expected[static_cast<std::size_t>(number)] = number;
  EXPECT_EQ(served, expected);
}

TEST(WriteLane, WhoeverWaitsIsRefusedAndWhoeverComesLaterIsNot) {
  WriteLane lane;
  std::optional<WriteLane::Turn> turn = lane.wait(kLong);
  std::optional<WriteLane::Turn> waited;
  std::jthread waiting([&] { waited = lane.wait(kLong); });
  while (lane.queued_for_test() < 2) std::this_thread::yield();
  lane.refuse_waiting();
  waiting.join();
  EXPECT_FALSE(waited);
  EXPECT_EQ(lane.queued_for_test(), 1U);
  turn.reset();
  EXPECT_TRUE(lane.wait(kLong));
}

TEST(WriteLane, ABoundOfNothingAsksWhetherItIsFree) {
  WriteLane lane;
  std::optional<WriteLane::Turn> turn = lane.wait(std::chrono::milliseconds{0});
  ASSERT_TRUE(turn);
  EXPECT_FALSE(lane.wait(std::chrono::milliseconds{0}));
  EXPECT_EQ(lane.queued_for_test(), 1U) << "who gave up stands in nobody's way";
  turn->end();
  turn->end();
  EXPECT_TRUE(lane.wait(std::chrono::milliseconds{0}));
}

}  // namespace
}  // namespace tenure::detail
