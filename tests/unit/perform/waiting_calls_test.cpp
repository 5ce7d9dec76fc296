#include "waiting_calls.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

// Which calls of an event loop wait and which may be taken back: without a thread.
namespace tenure::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr CallNumber kFirst{1};
constexpr CallNumber kSecond{2};
constexpr CallNumber kThird{3};

std::optional<ErrorCode> code_of(const Result<void>& result) {
  return result ? std::nullopt : std::optional{result.error().code};
}

TEST(WaitingCallsStep, AllThatWaitIsTakenTogetherInItsOrder) {
  WaitingCalls calls({.jobs_max = 10, .bytes_max = 10});
  for (const CallNumber number : {kFirst, kSecond, kThird}) EXPECT_TRUE(calls.add(number, {}));
  EXPECT_THAT(calls.take(10), ElementsAre(kFirst, kSecond, kThird));
  EXPECT_FALSE(calls.has_waiting());
}

TEST(WaitingCallsStep, OneCommitTakesSoManyJobsButOneCallInAnyCase) {
  WaitingCalls calls({.jobs_max = 100, .bytes_max = 10});
  ASSERT_TRUE(calls.add(kFirst, {.jobs = 3}));
  ASSERT_TRUE(calls.add(kSecond, {.jobs = 1}));
  ASSERT_TRUE(calls.add(kThird, {.jobs = 1}));
  EXPECT_THAT(calls.take(2), ElementsAre(kFirst)) << "a bulk is not divided";
  EXPECT_THAT(calls.take(1), ElementsAre(kSecond));
  EXPECT_THAT(calls.take(2), ElementsAre(kThird));
  EXPECT_THAT(calls.take(2), IsEmpty());
}

TEST(WaitingCallsStep, WhatWaitsIsTakenBackAndWhatIsUnderWayIsNot) {
  WaitingCalls calls({.jobs_max = 10, .bytes_max = 10});
  ASSERT_TRUE(calls.add(kFirst, {}));
  ASSERT_TRUE(calls.add(kSecond, {}));
  EXPECT_TRUE(calls.withdraw(kFirst));
  EXPECT_FALSE(calls.withdraw(kFirst)) << "once";
  EXPECT_THAT(calls.take(10), ElementsAre(kSecond));
  EXPECT_FALSE(calls.withdraw(kSecond));
  calls.end(kSecond);
  EXPECT_FALSE(calls.withdraw(kSecond));
  EXPECT_FALSE(calls.withdraw(kThird)) << "nobody has added it";
}

TEST(WaitingCallsStep, TheBoundsCountWhatWaitsAndWhatIsUnderWay) {
  WaitingCalls calls({.jobs_max = 3, .bytes_max = 100});
  ASSERT_TRUE(calls.add(kFirst, {.jobs = 2, .bytes = 60}));
  EXPECT_EQ(code_of(calls.add(kSecond, {.jobs = 2, .bytes = 1})), ErrorCode::limit_reached);
  EXPECT_EQ(code_of(calls.add(kSecond, {.jobs = 1, .bytes = 41})), ErrorCode::limit_reached);
  EXPECT_THAT(calls.take(10), ElementsAre(kFirst));
  EXPECT_EQ(code_of(calls.add(kSecond, {.jobs = 2, .bytes = 1})), ErrorCode::limit_reached) << "under way";
  ASSERT_TRUE(calls.add(kSecond, {.jobs = 1, .bytes = 40})) << "at the bound";
  EXPECT_EQ(code_of(calls.add(kThird, {.jobs = 1})), ErrorCode::limit_reached);
  EXPECT_TRUE(calls.withdraw(kSecond));
  EXPECT_TRUE(calls.add(kThird, {.jobs = 1, .bytes = 40}));
  calls.end(kFirst);
  EXPECT_TRUE(calls.add(CallNumber{4}, {.jobs = 2, .bytes = 60}));
}

TEST(WaitingCallsStep, AfterTheEndNothingComesAndWhatIsUnderWayEnds) {
  WaitingCalls calls({.jobs_max = 10, .bytes_max = 10});
  ASSERT_TRUE(calls.add(kFirst, {}));
  EXPECT_THAT(calls.take(1), ElementsAre(kFirst));
  ASSERT_TRUE(calls.add(kSecond, {}));
  ASSERT_TRUE(calls.add(kThird, {}));
  EXPECT_THAT(calls.close(), ElementsAre(kSecond, kThird));
  EXPECT_EQ(code_of(calls.add(CallNumber{4}, {})), ErrorCode::interrupted);
  EXPECT_THAT(calls.take(10), IsEmpty());
  calls.end(kFirst);
  EXPECT_THAT(calls.close(), IsEmpty()) << "safe twice";
}

// Whatever happens in whatever order, each call that was taken in leaves exactly once.
TEST(WaitingCallsStep, EachCallLeavesOnce) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto drawn = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    WaitingCalls calls({.jobs_max = 20, .bytes_max = 1000});
    std::map<CallNumber, int> left;  // how often
    std::set<CallNumber> under_way;
    std::int64_t last = 0;
    for (int step = 0; step < 200; ++step) {
      const CallNumber any{1 + drawn(static_cast<int>(last) + 1)};
      switch (drawn(4)) {
        case 0:
          if (const CallNumber number{++last};
              calls.add(number, {.jobs = static_cast<std::size_t>(1 + drawn(4)), .bytes = 1}))
            left[number] = 0;
          break;
        case 1:
          for (const CallNumber number : calls.take(static_cast<std::size_t>(1 + drawn(5))))
            EXPECT_TRUE(under_way.insert(number).second);
          break;
        case 2:
          if (calls.withdraw(any)) ++left.at(any);
          break;
        default:
          if (under_way.erase(any) == 0) break;
          calls.end(any);
          ++left.at(any);
      }
    }
    for (const CallNumber number : calls.close()) ++left.at(number);
    for (const CallNumber number : under_way) {
      calls.end(number);
      ++left.at(number);
    }
    for (const auto& [number, times] : left) EXPECT_EQ(times, 1) << seed << ", call " << number.value;
  }
}

}  // namespace
}  // namespace tenure::detail
