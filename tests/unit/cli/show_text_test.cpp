#include "show_text.hpp"

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_us(1'772'446'440'000'000);
const ShowStyle kPipe{.now = kNow};
const ShowStyle kTerminal{.terminal = true, .now = kNow};

TEST(NumberText, GroupsThousandsOnATerminalOnly) {
  EXPECT_EQ(number_text(1284, kPipe), "1284");
  EXPECT_EQ(number_text(999, kTerminal), "999");
  EXPECT_EQ(number_text(1000, kTerminal), "1,000");
  EXPECT_EQ(number_text(-1000, kTerminal), "-1,000");
  EXPECT_EQ(number_text(-100, kTerminal), "-100");
  EXPECT_EQ(count_text(1'000'000, true, kTerminal), "1,000,000+");
}

TEST(DurationText, ChangesItsUnitAtTheBorder) {
  EXPECT_EQ(duration_text(-5s), "0 s");
  EXPECT_EQ(duration_text(0s), "0 s");
  EXPECT_EQ(duration_text(250ms), "250 ms");
  EXPECT_EQ(duration_text(999ms), "999 ms");
  EXPECT_EQ(duration_text(1s), "1 s");
  EXPECT_EQ(duration_text(119s), "119 s");
  EXPECT_EQ(duration_text(120s), "2 min");
  EXPECT_EQ(duration_text(119min), "119 min");
  EXPECT_EQ(duration_text(2h), "2 h");
  EXPECT_EQ(duration_text(47h), "47 h");
  EXPECT_EQ(duration_text(48h), "2 d");
}

TEST(TimeText, IsRelativeOnATerminalAndRfc3339Elsewhere) {
  EXPECT_EQ(time_text(kNow + 41s, kTerminal), "in 41 s");
  EXPECT_EQ(time_text(kNow - 48s, kTerminal), "48 s ago");
  EXPECT_EQ(time_text(kNow, kPipe), "2026-03-02T10:14:00Z");
  EXPECT_EQ(time_text(kNow, {.terminal = true, .utc = true, .now = kNow}), "2026-03-02T10:14:00Z");
  EXPECT_EQ(time_text(std::nullopt, kTerminal), "-");
  EXPECT_EQ(full_time_text(kNow + 41s, {.terminal = true, .utc = true, .now = kNow}),
            "2026-03-02T10:14:41Z (in 41 s)");
}

TEST(AgeText, IsSecondsWhereProgramsRead) {
  EXPECT_EQ(age_text(kNow - 48s, kTerminal), "48 s");
  EXPECT_EQ(age_text(kNow - 48500ms, kPipe), "48.5");
  EXPECT_EQ(age_text(std::nullopt, kPipe), "-");
}

TEST(BytesText, IsRoundedOnATerminal) {
  EXPECT_EQ(bytes_text(214, kTerminal), "214 bytes");
  EXPECT_EQ(bytes_text(812LL << 20U, kTerminal), "812 MiB");
  EXPECT_EQ(bytes_text(812LL << 20U, kPipe), "851443712");
}

TEST(Counted, KnowsOne) {
  EXPECT_EQ(counted(1, "job", kTerminal), "1 job");
  EXPECT_EQ(counted(0, "job", kTerminal), "0 jobs");
  EXPECT_EQ(counted(1281, "job", kTerminal), "1,281 jobs");
}

}  // namespace
}  // namespace tenure::cli
