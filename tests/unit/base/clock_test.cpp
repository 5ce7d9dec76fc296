#include <tenure/base/clock.hpp>

#include <gtest/gtest.h>

namespace tenure {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, PrintsMicrosecondsOnlyWhereThereAreSome) {
  EXPECT_EQ(to_rfc3339(from_us(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(from_us(1'700'000'000'000'000)), "2023-11-14T22:13:20Z");
  EXPECT_EQ(to_rfc3339(from_us(1'700'000'000'000'123)), "2023-11-14T22:13:20.000123Z");
}

TEST(Rfc3339, PrintsTimesBefore1970AndLeapDays) {
  EXPECT_EQ(to_rfc3339(from_us(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(WallTime{std::chrono::sys_days{2024y / 2 / 29}}), "2024-02-29T00:00:00Z");
}

TEST(VirtualClock, StandsStillUntilTold) {
  const VirtualClock clock(from_us(42));
  EXPECT_EQ(clock.wall(), from_us(42));
  EXPECT_EQ(clock.wall(), from_us(42));
  EXPECT_EQ(clock.steady(), Instant{});
}

TEST(VirtualClock, AdvancesBothClocksAndJumpsOnlyTheWallClock) {
  VirtualClock clock(from_us(0));
  clock.advance(5us);
  EXPECT_EQ(clock.wall(), from_us(5));
  EXPECT_EQ(clock.steady(), Instant{5us});
  clock.jump_wall(-1h);
  EXPECT_EQ(clock.wall(), from_us(5) - 1h);
  EXPECT_EQ(clock.steady(), Instant{5us});
}

TEST(RealClock, SteadyTimeNeverGoesBack) {
  const RealClock clock;
  const Instant before = clock.steady();
  EXPECT_LE(before, clock.steady());
  EXPECT_GT(clock.wall(), from_us(1'600'000'000'000'000));
}

TEST(Instant, IsAPointAndItsDifferenceADuration) {
  EXPECT_EQ((Instant{7us} - Instant{3us}), 4us);
  EXPECT_EQ((Instant{7us} - 3us), Instant{4us});
  EXPECT_LT(Instant{7us}, Instant{7us} + 1us);
}

}  // namespace
}  // namespace tenure
