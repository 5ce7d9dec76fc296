#include "looks.hpp"

#include <gtest/gtest.h>

namespace tenure::daemon {
namespace {

using namespace std::chrono_literals;

constexpr bool kOnlyLooks = true;

// A look is due at the start; this one is over, at `now`.
Looks at_rest(Instant now) {
  Looks looks(1000ms);
  static_cast<void>(looks.begin(kOnlyLooks, now));
  looks.counted(7);
  return looks;
}

TEST(Looks, TheFirstIsDueAtOnceAndTrustsNoCounter) {
  Looks looks(1000ms);
  EXPECT_TRUE(looks.are_due(Instant{0us}));
  const auto check = looks.begin(kOnlyLooks, Instant{0us});
  ASSERT_TRUE(check);
  EXPECT_FALSE(check->unless_still);
}

TEST(Looks, CLM_10_OneIsDuePerPollOrSoonWhereSomebodyAsks) {
  Looks looks = at_rest(Instant{5s});
  EXPECT_FALSE(looks.are_due(Instant{5999ms}));
  EXPECT_TRUE(looks.are_due(Instant{6s}));
  EXPECT_EQ(looks.next_poll(), Instant{6s});
  looks.soon();
  EXPECT_TRUE(looks.are_due(Instant{5s}));
}

TEST(Looks, AHintIsAnsweredWithoutTheChangeCounterAndDoesNotDelayThePoll) {
  Looks looks = at_rest(Instant{5s});
  looks.soon();
  EXPECT_FALSE(looks.begin(kOnlyLooks, Instant{5500ms}));
  EXPECT_FALSE(looks.are_due(Instant{5500ms}));
  EXPECT_EQ(looks.next_poll(), Instant{6s});
}

TEST(Looks, APollIsLeftOutWhereTheCounterStandsStillButForOneInTen) {
  Looks looks = at_rest(Instant{0s});
  std::uint64_t trusted = 0;
  for (std::uint64_t poll = 1; poll <= 3 * kLooksPerFullLook; ++poll) {
    const auto check = looks.begin(kOnlyLooks, Instant{std::chrono::seconds{poll}});
    ASSERT_TRUE(check);
    EXPECT_EQ(check->unless_still.value_or(7), 7);
    trusted += check->unless_still ? 1U : 0U;
  }
  EXPECT_EQ(trusted, 3 * (kLooksPerFullLook - 1));
}

TEST(Looks, ARoundThatCarriesMoreOrThatSomebodyAskedForIsNeverLeftOut) {
  Looks looks = at_rest(Instant{0s});
  EXPECT_FALSE(looks.begin(!kOnlyLooks, Instant{1s})->unless_still);
  looks.soon();
  EXPECT_FALSE(looks.begin(kOnlyLooks, Instant{2s})->unless_still);
}

}  // namespace
}  // namespace tenure::daemon
