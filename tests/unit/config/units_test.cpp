#include <tenure/config/units.hpp>

#include <gtest/gtest.h>

namespace tenure::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsOneNumberAndOneUnit) {
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("25s").value(), 25s);
  EXPECT_EQ(parse_duration("5m").value(), 5min);
  EXPECT_EQ(parse_duration("1h").value(), 1h);
  EXPECT_EQ(parse_duration("7d").value(), 168h);
  EXPECT_EQ(parse_duration("0s").value(), 0s);
}

class BadDuration : public ::testing::TestWithParam<const char*> {};
TEST_P(BadDuration, CFG_03_IsRefused) { EXPECT_FALSE(parse_duration(GetParam())); }
INSTANTIATE_TEST_SUITE_P(BadInput21, BadDuration,
                         ::testing::Values("5 parsecs", "5parsecs", "1h-5m", "1h5m", "-1s", "+1s", "1.5h",
                                           "s", "25", "", " 1s", "1s ", "1S", "0x1s", "1e3s",
                                           "99999999999999999999s", "9223372036854775807d"));

TEST(Duration, CFG_03_OverflowIsNamedAsSuch) {
  EXPECT_EQ(parse_duration("99999999999999999999s").error().message, "is too large for any setting");
  EXPECT_EQ(parse_duration("9223372036854775808ms").error().message, "is too large for any setting");
  EXPECT_EQ(parse_duration("9223372036854775807ms").value().count(), 9223372036854775807);
}

TEST(Duration, PrintsInTheLargestUnitThatDividesIt) {
  for (const char* text : {"250ms", "25s", "90s", "5m", "1h", "36h", "7d", "0s"})
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
}

TEST(Size, ReadsOneNumberAndOneUnit) {
  EXPECT_EQ(parse_size("512B").value(), 512U);
  EXPECT_EQ(parse_size("256KiB").value(), 256U * 1024);
  EXPECT_EQ(parse_size("1MiB").value(), 1024U * 1024);
  EXPECT_EQ(parse_size("2GiB").value(), 2ULL << 30U);
}

TEST(Size, RefusesWhatIsNoSize) {
  for (const char* text : {"256KB", "256", "256kib", "1.5MiB", "-1B", "", "KiB", "9223372036854775807KiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Size, PrintsInTheLargestUnitThatDividesIt) {
  for (const char* text : {"512B", "256KiB", "1MiB", "3GiB", "1025B", "0B"})
    EXPECT_EQ(size_text(parse_size(text).value()), text);
}

}  // namespace
}  // namespace tenure::config
