#include <tenure/base/time_zone.hpp>

#include <gtest/gtest.h>

#include <string>

namespace tenure {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr sys_days kSummer{2026y / 7 / 1};
constexpr sys_days kWinter{2026y / 1 / 1};

TEST(TimeZone, KnowsWhatClocksShow) {
  const auto berlin = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->name(), "Europe/Berlin");
  EXPECT_EQ(berlin->span_at(kSummer).offset, hours{2});
  EXPECT_EQ(berlin->span_at(kSummer).abbreviation, "CEST");
  EXPECT_EQ(berlin->span_at(kSummer).begin, sys_days{2026y / 3 / 29} + hours{1});
  EXPECT_EQ(berlin->span_at(kSummer).end, sys_days{2026y / 10 / 25} + hours{1});
  EXPECT_EQ(berlin->span_at(kWinter).offset, hours{1});
}

TEST(TimeZone, KnowsShiftsOfHalfAnHour) {
  const auto lord_howe = TimeZone::find("Australia/Lord_Howe");
  ASSERT_TRUE(lord_howe);
  EXPECT_EQ(lord_howe->span_at(kWinter).offset - lord_howe->span_at(kSummer).offset, minutes{30});
}

TEST(TimeZone, UtcIsOneSpan) {
  const auto utc = TimeZone::find("UTC");
  ASSERT_TRUE(utc);
  EXPECT_EQ(utc->span_at(kSummer).offset, seconds{0});
  EXPECT_EQ(utc->span_at(kSummer), utc->span_at(kWinter));
}

TEST(TimeZone, ANameThatIsNoneIsRefused) {
  for (const char* const name : {"", "Europe/Atlantis", "europe/berlin", "../../etc/passwd", "/etc/localtime",
                                 "Europe", "Europe/Berlin ", "Europe//Berlin"}) {
    const auto zone = TimeZone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::bad_options) << name;
    EXPECT_NE(zone.error().message.find("there is no time zone"), std::string::npos) << name;
  }
  EXPECT_FALSE(TimeZone::find(std::string_view{"UTC\0", 4}));
}

}  // namespace
}  // namespace tenure
