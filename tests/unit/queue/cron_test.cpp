#include <tenure/queue/cron.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace tenure::queue {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr local_days kDay{2026y / 1 / 1};  // a Thursday

Cron cron(std::string_view text) {
  auto parsed = Cron::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : Cron{};
}

std::string cron_refusal(std::string_view text) {
  const auto parsed = Cron::parse(text);
  return parsed ? "taken" : parsed.error().message;
}

// The days of so many, from kDay on, on which it comes.
std::vector<int> days_of(std::string_view text, int count) {
  const Cron parsed = cron(text);
  std::vector<int> found;
  for (int day = 0; day < count; ++day) {
    const auto next = parsed.next(kDay + days{day});
    if (next && *next < kDay + days{day + 1}) found.push_back(day + 1);
  }
  return found;
}

// The values of one field of a clock on kDay: `unit` apart.
std::vector<int> values_of(std::string_view text, seconds unit, int count) {
  const Cron parsed = cron(text);
  std::vector<int> found;
  for (int value = 0; value < count; ++value)
    if (parsed.matches(kDay + unit * value)) found.push_back(value);
  return found;
}

std::vector<int> hours_of(const std::string& field) {
  return values_of("0 " + field + " * * *", hours{1}, 24);
}
std::vector<int> months_of(const std::string& field) {
  const Cron parsed = cron("0 0 1 " + field + " *");
  std::vector<int> found;
  for (int month = 1; month <= 12; ++month)
    if (parsed.matches(local_days{2026y / month / 1})) found.push_back(month);
  return found;
}
// From Sunday, 0, on.
std::vector<int> week_days_of(const std::string& field) {
  const Cron parsed = cron("0 0 * * " + field);
  std::vector<int> found;
  for (int day = 0; day < 7; ++day)
    if (parsed.matches(local_days{2026y / 1 / 4} + days{day})) found.push_back(day);
  return found;
}

TEST(Cron, SCH_17_FiveFieldsBeginWithMinutesAndSixWithSeconds) {
  EXPECT_EQ(values_of("5,50 0 * * *", minutes{1}, 60), (std::vector{5, 50}));
  EXPECT_EQ(values_of("5,50 0 0 * * *", seconds{1}, 60), (std::vector{5, 50}));
  EXPECT_EQ(cron("30 2 * * *"), cron("0 30 2 * * *"));
  EXPECT_EQ(cron("  30\t2 *  * *  "), cron("30 2 * * *"));
}

TEST(Cron, SCH_17_RangesStepsAndLists) {
  EXPECT_EQ(hours_of("3"), (std::vector{3}));
  EXPECT_EQ(hours_of("20/2"), (std::vector{20, 22})) << "N/step begins at N";
  EXPECT_EQ(hours_of("9-11"), (std::vector{9, 10, 11}));
  EXPECT_EQ(hours_of("9-15/3"), (std::vector{9, 12, 15}));
  EXPECT_EQ(hours_of("*/8"), (std::vector{0, 8, 16}));
  EXPECT_EQ(hours_of("1,3-4,*/12"), (std::vector{0, 1, 3, 4, 12}));
}

TEST(Cron, SCH_17_RangesMayWrap) {
  EXPECT_EQ(hours_of("22-4/2"), (std::vector{0, 2, 4, 22}));
  EXPECT_EQ(hours_of("23-0"), (std::vector{0, 23}));
  EXPECT_EQ(months_of("11-2"), (std::vector{1, 2, 11, 12}));
  EXPECT_EQ(days_of("0 0 30-2 1 *", 31), (std::vector{1, 2, 30, 31}));
  EXPECT_EQ(week_days_of("5-1"), (std::vector{0, 1, 5, 6}));
}

TEST(Cron, SCH_17_NamesAreInAnyCase) {
  EXPECT_EQ(months_of("jan,FEB,Mar-may"), (std::vector{1, 2, 3, 4, 5}));
  EXPECT_EQ(week_days_of("mon-FRI/2"), (std::vector{1, 3, 5}));
  EXPECT_EQ(cron("@DAILY"), cron("@daily"));
}

TEST(Cron, SCH_17_SevenIsSunday) {
  EXPECT_EQ(week_days_of("7"), (std::vector{0}));
  EXPECT_EQ(week_days_of("0"), (std::vector{0}));
  EXPECT_EQ(week_days_of("6-7"), (std::vector{0, 6}));
  EXPECT_EQ(week_days_of("7-1"), (std::vector{0, 1}));
  EXPECT_EQ(week_days_of("0-7"), (std::vector{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(week_days_of("sat-sun"), (std::vector{0, 6}));
}

TEST(Cron, SCH_17_LIsTheLastDayOfTheMonth) {
  EXPECT_EQ(days_of("0 0 L * *", 90), (std::vector{31, 59, 90}));
  EXPECT_EQ(days_of("0 0 15,l 2 *", 90), (std::vector{46, 59}));
  EXPECT_TRUE(cron("0 0 L * *").matches(local_days{2028y / 2 / 29}));
  EXPECT_FALSE(cron("0 0 L * *").matches(local_days{2028y / 2 / 28}));
}

TEST(Cron, SCH_17_AnOpenDayFieldLeavesBothToMatch) {  // 2026-01-01 is a Thursday
  EXPECT_EQ(days_of("0 0 13 * FRI", 31), (std::vector{2, 9, 13, 16, 23, 30})) << "neither is open";
  EXPECT_EQ(days_of("0 0 13 * *", 31), (std::vector{13}));
  EXPECT_EQ(days_of("0 0 13 * ?", 31), (std::vector{13}));
  EXPECT_EQ(days_of("0 0 ? * FRI", 31), (std::vector{2, 9, 16, 23, 30}));
  EXPECT_EQ(days_of("0 0 */2 * FRI", 31), (std::vector{9, 23})) << "both: odd days that are Fridays";
  EXPECT_EQ(days_of("0 0 ?/2 * FRI", 31), (std::vector{9, 23}));
  EXPECT_EQ(days_of("0 0 1-31/2 * FRI", 10), (std::vector{1, 2, 3, 5, 7, 9})) << "either";
}

TEST(Cron, Nicknames) {
  EXPECT_EQ(cron("@yearly"), cron("0 0 1 1 *"));
  EXPECT_EQ(cron("@annually"), cron("0 0 1 1 *"));
  EXPECT_EQ(cron("@monthly"), cron("0 0 1 * *"));
  EXPECT_EQ(cron("@weekly"), cron("0 0 * * 0"));
  EXPECT_EQ(cron("@daily"), cron("0 0 * * *"));
  EXPECT_EQ(cron("@midnight"), cron("0 0 * * *"));
  EXPECT_EQ(cron("@hourly"), cron("0 * * * *"));
  EXPECT_TRUE(cron("@hourly").is_by_the_hour());
}

TEST(Cron, SCH_17_AnythingElseIsRefusedWithItsColumn) {
  const struct {
    std::string_view text;
    std::string_view why;
  } refused[] = {
      {"", "cron, column 1: it is empty; it has five fields, or six with seconds first"},
      {"* * * *", "cron, column 8: it ends after 4 fields of five"},
      {"* * * * * * 2026", "cron, column 13: it has more than six fields"},
      {"60 * * * *", "cron, column 1: 60 is no minute (0 to 59)"},
      {"0 24 * * *", "cron, column 3: 24 is no hour (0 to 23)"},
      {"0 0 0 * *", "cron, column 5: 0 is no day of the month (1 to 31)"},
      {"0 0 1 13 *", "cron, column 7: 13 is no month (1 to 12)"},
      {"0 0 * * 8", "cron, column 9: 8 is no day of the week (0 to 7)"},
      {"0 0 1 janu *", "cron, column 7: janu is no month"},
      {"0 0 1 mon *", "cron, column 7: mon is no month"},
      {"0 mon * * *", "cron, column 3: mon is no hour"},
      {"0 0 1-L * *", "cron, column 7: L is no day of the month"},
      {"0 0 L-3 * *", "cron, column 6: -3 is not expected here"},
      {"0 0 * * L", "cron, column 9: L is no day of the week"},
      {"? 0 * * *", "cron, column 1: ? is no minute"},
      {"*/0 * * * *", "cron, column 3: 0 is no step of a minute (1 to 59)"},
      {"*/60 * * * *", "cron, column 3: 60 is no step of a minute (1 to 59)"},
      {"5- * * * *", "cron, column 3: the minute ends here, where a value is expected"},
      {"5, * * * *", "cron, column 3: the minute ends here, where a value is expected"},
      {"5,,6 * * * *", "cron, column 3: ,6 is no minute"},
      {"-5 * * * *", "cron, column 1: -5 is no minute"},
      {"5-6-7 * * * *", "cron, column 4: -7 is not expected here"},
      {"5/2/2 * * * *", "cron, column 4: /2 is not expected here"},
      {"** * * * *", "cron, column 2: * is not expected here"},
      {"99999999999 * * * *", "cron, column 1: 99999999999 is no minute"},
      {"1.5 * * * *", "cron, column 2: .5 is not expected here"},
      {"@reboot",
       "cron, column 1: @reboot is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
       "@hourly"},
      {"@daily 5", "cron, column 8: nothing follows @daily"},
  };
  for (const auto& [text, why] : refused) {
    EXPECT_EQ(cron_refusal(text), why) << text;
  }
}

TEST(Cron, ALongTextIsRefused) {
  const std::string longest(kCronTextMax - 9, ' ');
  EXPECT_TRUE(Cron::parse(longest + "0 0 * * *"));
  EXPECT_EQ(cron_refusal(longest + " 0 0 * * *"), "cron, column 257: it is longer than 256 bytes");
}

TEST(Cron, SCH_17_ADateThatNeverComesIsTold) {
  EXPECT_FALSE(cron("0 0 30 2 *").next(kDay));
  EXPECT_FALSE(cron("0 0 31 4,6,9,11 *").next(kDay));
  EXPECT_EQ(cron("0 0 29 2 *").next(local_days{2096y / 3 / 1}), local_seconds{local_days{2104y / 2 / 29}});
  // Both must match, and a leap day is a Sunday or a Saturday once in many years.
  EXPECT_EQ(cron("0 0 29 2 */6").next(local_days{2076y / 3 / 1}), local_seconds{local_days{2088y / 2 / 29}});
}

TEST(Cron, NextCarriesFromFieldToField) {
  const local_seconds last = local_days{2026y / 12 / 31} + hours{23} + minutes{59} + seconds{59};
  EXPECT_EQ(cron("* * * * * *").next(last), last);
  EXPECT_EQ(cron("* * * * *").next(last), last + seconds{1});
  EXPECT_EQ(cron("30 10 5 * * *").next(kDay + hours{5} + minutes{10} + seconds{31}),
            kDay + days{1} + hours{5} + minutes{10} + seconds{30});
  EXPECT_EQ(cron("30 10 * * * *").next(kDay + hours{5} + minutes{10} + seconds{31}),
            kDay + hours{6} + minutes{10} + seconds{30});
  EXPECT_EQ(cron("10 20 5,7 * * *").next(kDay + hours{5} + minutes{30}),
            kDay + hours{7} + minutes{20} + seconds{10});
}

}  // namespace
}  // namespace tenure::queue
