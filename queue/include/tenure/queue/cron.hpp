#pragma once

#include <tenure/base/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// Cron's way to say which times of a calendar are meant. It knows no time zone: schedule_rule.hpp says when such a time is.
namespace tenure::queue {

inline constexpr std::size_t kCronTextMax = 256;  // bytes

// Five fields, or six with seconds first, divided by blanks:
//
//   second 0-59   minute 0-59   hour 0-23   day of the month 1-31   month 1-12 or JAN-DEC   day of the week 0-7 or SUN-SAT (7 is 0)
//
// A field is a list, with commas, of `*`, N, N-M, and each of these with /STEP; N/STEP begins at N and goes to the field's end. A range may
// wrap (`22-4`). A day field may be `?`, which is `*`, and a day of the month `L`, the last one. Names are in any case. A day field that
// begins with `*` or `?` is open: then a day must match both, else either. Or one word instead: @yearly @annually @monthly @weekly @daily
// @midnight @hourly.
class Cron {
 public:
  // BadOptions names the column, from 1.
  [[nodiscard]] static Result<Cron> parse(std::string_view text);

  // The first such time that is not before `from`; nothing: it never comes.
  [[nodiscard]] std::optional<std::chrono::local_seconds> next(std::chrono::local_seconds from) const;
  [[nodiscard]] bool matches(std::chrono::local_seconds time) const;
  // The field of hours begins with `*`: it means so many times a day, and not a time of the day.
  [[nodiscard]] bool is_by_the_hour() const { return is_by_the_hour_; }

  friend bool operator==(const Cron&, const Cron&) = default;

 private:
  friend class CronParser;
  [[nodiscard]] bool matches_day(std::chrono::year_month_day day) const;
  [[nodiscard]] std::optional<std::chrono::seconds> next_in_day(std::chrono::seconds from) const;

  // A bit for each value that is meant.
  std::uint64_t seconds_ = 1;
  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t week_days_ = 0;  // 0: Sunday
  bool last_day_ = false;
  bool is_either_day_ = false;  // neither day field is open
  bool is_by_the_hour_ = false;
};

}  // namespace tenure::queue
