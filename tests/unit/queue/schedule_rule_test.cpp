#include <tenure/queue/schedule_rule.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
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
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

ScheduleRule rule(std::string cron, std::string zone = "UTC") {
  auto read = read_rule({.cron = std::move(cron), .every = {}, .time_zone = std::move(zone)});
  return value_or_raise(std::move(read));
}

ScheduleRule every(std::chrono::microseconds interval) {
  return value_or_raise(read_rule({.cron = {}, .every = interval, .time_zone = "UTC"}));
}

std::string rule_refusal(const WrittenRule& written) {
  const auto read = read_rule(written);
  return read ? "taken" : read.error().message;
}

// The ticks of so many days from that one on, each as clocks show it there, with the zone's abbreviation.
std::vector<std::string> shown(const ScheduleRule& rule, sys_days from, int count) {
  std::vector<std::string> ticks;
  for (const ShownTick& tick : preview_ticks(rule, WallTime{from} - 1us, 1000)) {
    if (tick.at >= WallTime{from} + days{count}) break;
    ticks.push_back(tick.local);
  }
  return ticks;
}

constexpr sys_days kForward{2026y / 3 / 29};  // Europe/Berlin: 02:00 CET becomes 03:00 CEST
constexpr sys_days kBack{2026y / 10 / 25};    // 03:00 CEST becomes 02:00 CET

TEST(ScheduleRule, SCH_05_DailyAtHalfPastTwoRunsOnceOnBothDaysOnWhichClocksChange) {
  const ScheduleRule daily = rule("30 2 * * *", "Europe/Berlin");
  EXPECT_THAT(shown(daily, kForward - days{1}, 3),
              ElementsAre("2026-03-28 02:30:00 CET", "2026-03-29 03:00:00 CEST", "2026-03-30 02:30:00 CEST"));
  EXPECT_THAT(shown(daily, kBack - days{1}, 3),
              ElementsAre("2026-10-24 02:30:00 CEST", "2026-10-25 02:30:00 CEST", "2026-10-26 02:30:00 CET"));
}

TEST(ScheduleRule, SCH_05_WhereTheHoursAreOpenEachInstantFiresWhoseWallTimeMatches) {
  const ScheduleRule half_hourly = rule("*/30 * * * *", "Europe/Berlin");
  const auto forward = shown(half_hourly, kForward, 1);
  EXPECT_EQ(std::ranges::count_if(forward,
                                  [](const std::string& at) { return at.find(" 02:") != std::string::npos; }),
            0)
      << "gaps skip";
  const auto back = shown(half_hourly, kBack, 1);
  EXPECT_EQ(std::ranges::count(back, "2026-10-25 02:30:00 CEST"), 1) << "folds repeat";
  EXPECT_EQ(std::ranges::count(back, "2026-10-25 02:30:00 CET"), 1);
  // The same minutes with hours that are said one by one.
  const auto said = shown(rule("*/30 0-23 * * *", "Europe/Berlin"), kBack, 1);
  EXPECT_EQ(std::ranges::count(said, "2026-10-25 02:30:00 CET"), 0);
}

TEST(ScheduleRule, SCH_05_SeveralTimesOfOneGapFireOnceBehindIt) {
  EXPECT_THAT(shown(rule("*/10 2 * * *", "Europe/Berlin"), kForward, 1),
              ElementsAre("2026-03-29 03:00:00 CEST"));
  EXPECT_THAT(shown(rule("30 2,3 * * *", "Europe/Berlin"), kForward, 1),
              ElementsAre("2026-03-29 03:00:00 CEST", "2026-03-29 03:30:00 CEST"));
  EXPECT_THAT(shown(rule("0 2,3 * * *", "Europe/Berlin"), kForward, 1),
              ElementsAre("2026-03-29 03:00:00 CEST"));
}

TEST(
    ScheduleRule,
    SCH_05_ShiftsOfHalfAnHour) {  // Lord Howe: on 2026-04-05 02:00 becomes 01:30, on 2026-10-04 02:00 becomes 02:30
  const ScheduleRule daily = rule("45 1 * * *", "Australia/Lord_Howe");
  EXPECT_THAT(shown(daily, sys_days{2026y / 4 / 3} + days{1}, 1), ElementsAre("2026-04-05 01:45:00 +11"));
  EXPECT_THAT(shown(rule("15 2 * * *", "Australia/Lord_Howe"), sys_days{2026y / 10 / 3}, 1),
              ElementsAre("2026-10-04 02:30:00 +11"));
}

TEST(ScheduleRule, ADayThatAPlaceHasSkippedFiresBehindIt) {  // Samoa had no 2011-12-30
  EXPECT_THAT(shown(rule("30 2 30 12 *", "Pacific/Apia"), sys_days{2011y / 12 / 29}, 3),
              ElementsAre("2011-12-31 00:00:00 +14"));
}

// --- By brute force: the minutes of a few days, one by one.

struct RandomField {
  std::string text;
  std::set<unsigned> values;
};

class RandomCron {
 public:
  explicit RandomCron(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] unsigned up_to(unsigned most) { return static_cast<unsigned>(random_() % (most + 1)); }

  // Values that are said are at most `said`.
  RandomField field(unsigned least, unsigned most, unsigned said) {
    RandomField made;
    const unsigned items = 1 + up_to(1);
    for (unsigned item = 0; item < items; ++item) add_item(least, most, said, made);
    return made;
  }

  [[nodiscard]] RandomField open() const { return {"*", {}}; }

 private:
  void add_item(unsigned least, unsigned most, unsigned said, RandomField& made) {
    const unsigned span = most - least;
    unsigned first = least + up_to(said - least);
    unsigned last = first;
    unsigned step = 1;
    std::string text;
    switch (up_to(3)) {
      case 0:
        text = std::to_string(first);
        break;
      case 1:
        last = least + up_to(said - least);
        text = std::to_string(first) + "-" + std::to_string(last);
        break;
      case 2:
        last = most;
        step = 1 + up_to(span - 1);
        text = std::to_string(first) + "/" + std::to_string(step);
        break;
      default:
        first = least;
        last = most;
        step = 1 + up_to(span - 1);
        text = "*/" + std::to_string(step);
    }
    unsigned passed = 0;
    for (unsigned value = first;; value = value == most ? least : value + 1, ++passed) {
      if (passed % step == 0) made.values.insert(value);
      if (value == last) break;
    }
    made.text += made.text.empty() ? text : "," + text;
  }

  std::mt19937_64 random_;
};

struct ModelCron {
  std::string text;
  std::set<unsigned> minutes, hours, days, week_days;
  bool is_either = false;
  bool is_by_the_hour = false;

  [[nodiscard]] bool matches(local_seconds time) const {
    const local_days day = std::chrono::floor<std::chrono::days>(time);
    const auto of_day = time - day;
    const auto has = [](const std::set<unsigned>& set, auto value) {
      return set.empty() || set.contains(static_cast<unsigned>(value));
    };
    if (!has(hours, of_day / std::chrono::hours{1}) ||
        !has(minutes, of_day % std::chrono::hours{1} / std::chrono::minutes{1}))
      return false;
    const bool is_day = has(days, static_cast<unsigned>(std::chrono::year_month_day{day}.day()));
    const bool is_week_day = has(week_days, std::chrono::weekday{day}.c_encoding());
    return is_either ? is_day || is_week_day : is_day && is_week_day;
  }
};

ModelCron model_cron(std::uint64_t seed) {
  RandomCron random{seed};
  const RandomField minute = random.up_to(4) == 0 ? random.open() : random.field(0, 59, 59);
  // Most changes of clocks are before four in the morning.
  const RandomField hour =
      random.up_to(3) == 0 ? random.open() : random.field(0, 23, random.up_to(1) == 0 ? 3 : 23);
  const RandomField day = random.up_to(2) != 0 ? random.open() : random.field(1, 31, 31);
  const RandomField week_day = random.up_to(2) != 0 ? random.open() : random.field(0, 6, 6);
  ModelCron cron{.text = minute.text + " " + hour.text + " " + day.text + " * " + week_day.text,
                 .minutes = minute.values,
                 .hours = hour.values,
                 .days = day.values,
                 .week_days = week_day.values};
  cron.is_either = day.text.front() != '*' && week_day.text.front() != '*';
  cron.is_by_the_hour = hour.text.front() == '*';
  return cron;
}

// A few days of a place, minute by minute, as its clocks show them.
struct Minutes {
  std::vector<std::pair<sys_seconds, local_seconds>> all;
  std::map<local_seconds, sys_seconds> first;  // at which each is shown

  Minutes(const TimeZone& zone, sys_seconds begin, sys_seconds end) {
    for (sys_seconds at = begin; at < end; at += minutes{1}) {
      const local_seconds local{at.time_since_epoch() + zone.span_at(at).offset};
      all.emplace_back(at, local);
      first.emplace(local, at);
    }
  }
};

std::set<sys_seconds> model_ticks(const ModelCron& cron, const Minutes& shown) {
  std::set<sys_seconds> ticks;
  if (cron.is_by_the_hour) {
    for (const auto& [at, local] : shown.all)
      if (cron.matches(local)) ticks.insert(at);
    return ticks;
  }
  local_seconds latest = shown.all.front().second;
  for (const auto& [at, local] : shown.all) {
    bool is_due =
        false;  // of what is shown now for the first time, and what was passed over since the minute before
    for (; latest <= local; latest += minutes{1}) is_due = is_due || cron.matches(latest);
    if (is_due) ticks.insert(at);
  }
  return ticks;
}

struct Change {
  std::string_view zone;
  sys_seconds at;
};

TEST(ScheduleRule, SCH_05_EqualsTheMinutesOfTheDaysAroundEachChangeOneByOne) {
  const Change changes[] = {
      {"Europe/Berlin", kForward + 1h},
      {"Europe/Berlin", kBack + 1h},
      {"America/New_York", sys_days{2026y / 3 / 8} + 7h},
      {"America/New_York", sys_days{2026y / 11 / 1} + 6h},
      {"Australia/Lord_Howe", sys_days{2026y / 4 / 4} + 15h},
      {"Australia/Lord_Howe", sys_days{2026y / 10 / 3} + 15h + 30min},
      {"America/Sao_Paulo", sys_days{2018y / 11 / 4} + 3h},  // at midnight
      {"America/Sao_Paulo", sys_days{2018y / 2 / 18} + 2h},
      {"Pacific/Apia", sys_days{2011y / 12 / 30} + 10h},  // by a whole day
      {"Africa/Casablanca", sys_days{2026y / 3 / 22} + 2h},
      {"Asia/Kathmandu", sys_days{1985y / 12 / 31} + 18h + 30min},  // by a quarter of an hour
      {"UTC", sys_days{2026y / 1 / 1}}};
  std::uint64_t seed = 1;
  for (const auto& [name, at] : changes) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone);
    if (name != "UTC") {
      ASSERT_NE(zone->span_at(at).offset, zone->span_at(at - 1s).offset) << name << ": clocks change then";
    }
    const sys_seconds begin = at - days{3};
    const sys_seconds end = at + days{3};
    const Minutes shown{*zone, begin, end};
    for (std::uint64_t draw = 0; draw < 60; ++draw, ++seed) {
      const ModelCron cron = model_cron(seed);
      const auto read = Cron::parse(cron.text);
      ASSERT_TRUE(read) << cron.text;
      const ScheduleRule under_test = CronIn{*read, *zone};
      std::set<sys_seconds> fired;
      WallTime last{begin - 1s};
      while (const auto next = next_tick(under_test, last)) {
        if (*next >= WallTime{end}) break;
        fired.insert(std::chrono::floor<seconds>(*next));
        last = *next;
      }
      ASSERT_EQ(fired, model_ticks(cron, shown)) << name << ", " << cron.text;
    }
  }
}

TEST(ScheduleRule, WhateverTheMomentTheNextTickIsTheSame) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const ModelCron cron = model_cron(seed);
    const ScheduleRule under_test = rule(cron.text, "Europe/Berlin");
    std::optional<WallTime> next = next_tick(under_test, WallTime{kBack});
    for (WallTime at{kBack}; at < WallTime{kBack} + 5h; at += 7min) {
      if (*next <= at) next = next_tick(under_test, *next);
      if (*next > at) {
        ASSERT_EQ(next_tick(under_test, at), next) << cron.text << " behind " << to_rfc3339(at);
      }
    }
  }
}

// --- Intervals.

TEST(ScheduleRule, SCH_13_IntervalsDoNotDriftOverTenThousandTicks) {
  const ScheduleRule under_test = every(17s);
  const auto first = next_tick(under_test, WallTime{kForward});
  WallTime at = *first;
  std::mt19937_64 random{1};
  for (int tick = 1; tick <= 10'000; ++tick) {
    // It is asked a while after each tick, as late as a busy dispatcher may come to it.
    const WallTime late = at + std::chrono::microseconds{random() % 16'999'999};
    at = *next_tick(under_test, late);
    ASSERT_EQ(at, *first + 17s * tick);
  }
}

TEST(ScheduleRule, IntervalsAreCountedFrom1970InUtc) {
  EXPECT_EQ(next_tick(every(15min), WallTime{kForward} + 1min), WallTime{kForward} + 15min);
  EXPECT_EQ(next_tick(every(15min), WallTime{kForward} + 15min), WallTime{kForward} + 30min);
  EXPECT_EQ(next_tick(every(15min), WallTime{} - 1us), WallTime{});
  EXPECT_EQ(next_tick(every(15min), WallTime{} - 15min), WallTime{});
}

TEST(ScheduleRule, AnIntervalHasBounds) {
  const auto interval = [](std::chrono::microseconds every) { return rule_refusal({.every = every}); };
  EXPECT_EQ(interval(1s), "taken");
  EXPECT_EQ(interval(hours{366 * 24}), "taken");
  const std::string why = "an interval is a whole number of seconds, from 1s to 366d";
  EXPECT_EQ(interval(999ms), why);
  EXPECT_EQ(interval(1500ms), why);
  EXPECT_EQ(interval(-1s), why);
  EXPECT_EQ(interval(hours{366 * 24} + 1s), why);
}

TEST(ScheduleRule, ARuleIsEitherOfTheTwo) {
  EXPECT_EQ(rule_refusal({}), "a schedule has either cron or every");
  EXPECT_EQ(rule_refusal({.cron = "@daily", .every = 1s}), "a schedule has either cron or every");
  EXPECT_THAT(rule_refusal({.cron = "0 0 * *"}), HasSubstr("cron, column 8"));
  EXPECT_THAT(rule_refusal({.cron = "@daily", .every = {}, .time_zone = "Mars/Olympus"}),
              HasSubstr("no time zone Mars/Olympus"));
}

TEST(ScheduleRule, ADateThatNeverComesIsRefused) {
  EXPECT_EQ(rule_refusal({.cron = "0 0 30 2 *"}), "cron: \"0 0 30 2 *\" never comes, in no year");
  EXPECT_EQ(rule_refusal({.cron = "0 0 29 2 *"}), "taken");
}

// --- Preview.

TEST(ScheduleRule, APreviewSaysWhenClocksChange) {
  const ScheduleRule daily = rule("30 2 * * *", "Europe/Berlin");
  const auto forward = preview_ticks(daily, WallTime{kForward - days{1}}, 3);
  ASSERT_EQ(forward.size(), 3U);
  EXPECT_EQ(forward[0].note, "");
  EXPECT_EQ(forward[1].note, "clocks go from 02:00:00 to 03:00:00");
  EXPECT_EQ(forward[2].note, "");
  const auto back = preview_ticks(rule("30 * * * *", "Europe/Berlin"), WallTime{kBack}, 3);
  EXPECT_EQ(back[0], (ShownTick{WallTime{kBack} + 30min, "2026-10-25 02:30:00 CEST",
                                "first time: clocks go from 03:00:00 back to 02:00:00"}));
  EXPECT_EQ(back[1].note, "second time: clocks went from 03:00:00 back to 02:00:00");
  EXPECT_EQ(back[2].note, "");
  EXPECT_EQ(preview_ticks(every(1h), WallTime{kBack}, 1)[0],
            (ShownTick{WallTime{kBack} + 1h, "2026-10-25 01:00:00 UTC", ""}));
}

}  // namespace
}  // namespace tenure::queue
