#include "far_retries.hpp"

#include "stepper.hpp"

#include <gtest/gtest.h>

#include <chrono>

// When the store is looked through for retries that are too far off.
namespace tenure::daemon {
namespace {

using queue::DrawnIn;
using queue::JobSeq;
using queue::LanePlace;

const Now kStart{from_us(1'700'000'000'000'000), Instant{1s}};
constexpr DrawnIn kNothing{};

Now later(std::chrono::microseconds by, std::chrono::microseconds set_back = 0us) {
  return {kStart.wall + by - set_back, kStart.steady + by};
}

// After the first look, which found nothing.
FarRetries at_rest() {
  FarRetries far;
  Actions actions;
  far.tick(kStart);
  far.read(kNothing, actions);
  EXPECT_TRUE(actions.empty());
  return far;
}

// What follows kStart by so much, without another jump on the way.
bool is_wanted_after(FarRetries far, std::chrono::microseconds by, std::chrono::microseconds set_back = 0us) {
  const Now then = later(by + kClockTrustedAfter, set_back);
  far.tick(then);
  return far.is_wanted(then.steady);
}

TEST(FarRetries, AreLookedForAfterTheStartOnceTheClockHasBeenSteady) {
  FarRetries far;
  far.tick(kStart);
  EXPECT_FALSE(far.is_wanted(kStart.steady));
  EXPECT_EQ(far.next_at(), kStart.steady + kClockTrustedAfter);
  far.tick(later(kClockTrustedAfter - 1us));
  EXPECT_FALSE(far.is_wanted(later(kClockTrustedAfter - 1us).steady));
  EXPECT_TRUE(is_wanted_after(far, 0us));
}

// It began in 1970, and the time has come from elsewhere.
TEST(FarRetries, AClockThatJumpsForwardIsNotTrustedForAWhile) {
  FarRetries far;
  far.tick(kStart);
  const Now corrected = later(kClockTrustedAfter - 1s, -50 * 365 * 24h);
  far.tick(corrected);
  EXPECT_FALSE(far.is_wanted(corrected.steady + kClockTrustedAfter - 1us));
  EXPECT_TRUE(far.is_wanted(corrected.steady + kClockTrustedAfter));
}

TEST(FarRetries, AreLookedForWhereTheClockWentBackByTheLeastThatCounts) {
  FarRetries below = at_rest(), at = at_rest(), above = at_rest();
  below.tick(later(1h, kClockSetBackMin - 1us));
  at.tick(later(1h, kClockSetBackMin));
  above.tick(later(1h, 24h));
  EXPECT_FALSE(is_wanted_after(below, 1h, kClockSetBackMin - 1us));
  EXPECT_TRUE(is_wanted_after(at, 1h, kClockSetBackMin));
  EXPECT_TRUE(is_wanted_after(above, 1h, 24h));
}

TEST(FarRetries, AClockThatGoesForwardIsNoReason) {
  FarRetries far = at_rest();
  far.tick(later(1h, -24h));
  EXPECT_FALSE(is_wanted_after(far, 1h, -24h));
  far.tick(later(1h, -24h + kClockSetBackMin));
  EXPECT_TRUE(is_wanted_after(far, 1h, -24h + kClockSetBackMin))
      << "measured from where it was furthest ahead";
}

TEST(FarRetries, AreReadPageByPageAndToldOnceAtTheEnd) {
  FarRetries far;
  Actions actions;
  far.tick(kStart);
  const LanePlace last{kStart.wall + 24h, JobSeq{7}};
  far.read({{kStart.wall}, last}, actions);
  EXPECT_EQ(far.after(), last);
  EXPECT_TRUE(actions.empty());
  far.read({{kStart.wall}, {}}, actions);
  EXPECT_FALSE(is_wanted_after(far, 0us));
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(std::get<Note>(actions[0]).event, "retries.drawn_in");
  EXPECT_TRUE(std::get<Note>(actions[0]).message.starts_with("2 jobs waited"));
}

TEST(FarRetries, AClockThatGoesBackDuringALookBeginsAnother) {
  FarRetries far;
  Actions actions;
  far.tick(kStart);
  far.tick(later(1s, 1h));
  far.read({{}, LanePlace{kStart.wall, JobSeq{7}}}, actions);
  EXPECT_TRUE(is_wanted_after(far, 1s, 1h));
  EXPECT_FALSE(far.after());
  far.read(kNothing, actions);
  EXPECT_FALSE(is_wanted_after(far, 1s, 1h));
}

TEST(FarRetries, APageThatFailedIsAskedAgain) {
  Stepper stepper;
  stepper.come_to_claim();
  while (stepper.has_round()) stepper.answer();
  stepper.pass(kClockTrustedAfter);
  stepper.step(TimePassed{});
  while (stepper.has_round()) stepper.answer();
  const LanePlace last{stepper.now().wall + 24h, JobSeq{7}};
  stepper.set_wall_back(1h);
  stepper.step(TimePassed{});
  while (stepper.has_round()) stepper.answer();
  stepper.pass(kClockTrustedAfter);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  ASSERT_TRUE(stepper.round().ask<FarRetriesPart>());
  stepper.answer<FarRetriesPart>({{}, last});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(stepper.round().ask<FarRetriesPart>()->after, last);
  stepper.fail();
  stepper.pass(1s);
  stepper.step(TimePassed{});
  ASSERT_TRUE(stepper.has_round());
  EXPECT_EQ(stepper.round().ask<FarRetriesPart>()->after, last);
}

}  // namespace
}  // namespace tenure::daemon
