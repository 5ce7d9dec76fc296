#include <tenure/queue/cron.hpp>

#include <bit>
#include <ranges>

namespace tenure::queue {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year_month_day;

// The calendar repeats itself after so many days, week days included: what has not come by then never will.
constexpr days kCalendar{146'097};

constexpr bool has(std::uint64_t set, unsigned value) { return (set >> value & 1) != 0; }

// The least value of the set that is at least `from`; nothing: there is none.
std::optional<unsigned> least(std::uint64_t set, unsigned from) {
  const std::uint64_t left = from < 64 ? set >> from << from : 0;
  if (left == 0) return std::nullopt;
  return static_cast<unsigned>(std::countr_zero(left));
}

}  // namespace

bool Cron::matches_day(year_month_day day) const {
  const bool is_last = day == year_month_day{day.year() / day.month() / std::chrono::last};
  const bool is_day = has(days_, static_cast<unsigned>(day.day())) || (last_day_ && is_last);
  const bool is_week_day = has(week_days_, std::chrono::weekday{local_days{day}}.c_encoding());
  return is_either_day_ ? is_day || is_week_day : is_day && is_week_day;
}

std::optional<seconds> Cron::next_in_day(seconds from) const {
  auto hour = static_cast<unsigned>(from / hours{1});
  auto minute = static_cast<unsigned>(from % hours{1} / minutes{1});
  auto second = static_cast<unsigned>((from % minutes{1}).count());
  if (!has(hours_, hour) || !has(minutes_, minute)) second = 0;
  if (!has(hours_, hour)) minute = 0;
  auto found = least(seconds_, second);
  if (!found) ++minute;
  auto found_minute = least(minutes_, minute);
  if (!found_minute) ++hour;
  const auto found_hour = least(hours_, hour);
  if (!found_hour) return std::nullopt;
  // Whatever is above the first field that has moved begins anew below it.
  if (!found_minute || *found_hour != static_cast<unsigned>(from / hours{1}))
    found_minute = least(minutes_, 0);
  const seconds whole = hours{*found_hour} + minutes{*found_minute};
  if (!found || whole > from) found = least(seconds_, 0);
  return whole + seconds{*found};
}

bool Cron::matches(local_seconds time) const {
  const local_days day = std::chrono::floor<days>(time);
  const year_month_day date{day};
  return has(months_, static_cast<unsigned>(date.month())) && matches_day(date) &&
         next_in_day(time - day) == time - day;
}

std::optional<local_seconds> Cron::next(local_seconds from) const {
  local_days day = std::chrono::floor<days>(from);
  const local_days end = day + kCalendar + days{1};
  seconds rest = from - day;
  while (day <= end) {
    const year_month_day date{day};
    if (!has(months_, static_cast<unsigned>(date.month()))) {
      day = local_days{year_month_day{date.year() / date.month() / std::chrono::last}} + days{1};
    } else {
      if (matches_day(date))
        if (const auto time = next_in_day(rest)) return day + *time;
      day += days{1};
    }
    rest = seconds{0};
  }
  return std::nullopt;
}

}  // namespace tenure::queue
