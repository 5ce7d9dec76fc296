#include <tenure/base/random.hpp>

#include <gtest/gtest.h>

#include <array>

namespace tenure {
namespace {

TEST(Random, GivesTheSameNumbersForTheSameSeedOnEveryMachine) {
  // The reference output of SplitMix64 for the seed 1234567.
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(Random, StaysBelowItsBoundAndReachesEveryNumber) {
  Random random(1);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, SeedsFromTheSystemDiffer) { EXPECT_NE(Random::seed_from_system(), Random::seed_from_system()); }

}  // namespace
}  // namespace tenure
