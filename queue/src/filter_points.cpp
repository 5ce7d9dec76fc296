#include "filter_points.hpp"

#include <tenure/base/text.hpp>

#include <charconv>
#include <string>

namespace tenure::queue {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;
constexpr std::int64_t kDurationMaxUs = 365'000 * kDayUs;  // a thousand years: sums with times stay in range

// What a point covers: both ends included.
using Point = Range;

tl::unexpected<Failure> no_point(std::string_view text, std::string_view what) {
  return fail(ErrorCode::bad_filter, "'" + escaped(text) + "' " + std::string{what});
}

std::optional<std::int64_t> whole_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> digits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return whole_integer(text);
}

std::optional<std::int64_t> duration_us(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = kSecondUs;
      break;
    case 'm':
      unit = 60 * kSecondUs;
      break;
    case 'h':
      unit = 3'600 * kSecondUs;
      break;
    case 'd':
      unit = kDayUs;
      break;
    default:
      return std::nullopt;
  }
  text.remove_suffix(1);
  const auto count = digits(text);
  if (!count || *count > kDurationMaxUs / unit) return std::nullopt;
  return *count * unit;
}

// Takes `count` digits and the separator that follows them (0: none) off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count, char separator) {
  if (text.size() < count + (separator != 0 ? 1 : 0)) return std::nullopt;
  const auto value = digits(text.substr(0, count));
  if (!value) return std::nullopt;
  text.remove_prefix(count);
  if (separator != 0) {
    if (text.front() != separator) return std::nullopt;
    text.remove_prefix(1);
  }
  return static_cast<int>(*value);
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4, '-');
  const auto month = year ? take_digits(text, 2, '-') : std::nullopt;
  const auto day = month ? take_digits(text, 2, 0) : std::nullopt;
  if (!day || *year < 1970) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * kDayUs;
}

// "Z", "+02:00", or nothing, which is UTC as well.
std::optional<std::int64_t> zone_us(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  const char sign = text.front();
  if (sign != '+' && sign != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2, ':');
  const auto minutes = hours ? take_digits(text, 2, 0) : std::nullopt;
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t offset = (*hours * 3'600LL + *minutes * 60LL) * kSecondUs;
  return sign == '+' ? offset : -offset;
}

// ".000123" in microseconds; at most six digits.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  text.remove_prefix(1);
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  if (count == 0 || count > 6) return std::nullopt;
  std::string padded{text.substr(0, count)};
  padded.resize(6, '0');
  text.remove_prefix(count);
  return digits(padded);
}

// "10:14[:00[.000123]][zone]" behind a date; what is left out is covered as a whole.
std::optional<Point> clock_of(std::int64_t day_us, std::string_view text) {
  const auto hours = take_digits(text, 2, ':');
  const auto minutes = hours ? take_digits(text, 2, 0) : std::nullopt;
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  std::int64_t at = day_us + (*hours * 3'600LL + *minutes * 60LL) * kSecondUs;
  std::int64_t extent = 60 * kSecondUs;
  if (!text.empty() && text.front() == ':') {
    text.remove_prefix(1);
    const auto seconds = take_digits(text, 2, 0);
    if (!seconds || *seconds > 59) return std::nullopt;
    at += *seconds * kSecondUs;
    extent = kSecondUs;
    if (!text.empty() && text.front() == '.') {
      const auto fraction = take_fraction(text);
      if (!fraction) return std::nullopt;
      at += *fraction;
      extent = 1;
    }
  }
  const auto zone = zone_us(text);
  if (!zone) return std::nullopt;
  return Point{at - *zone, at - *zone + extent - 1};
}

std::optional<Point> time_point_of(std::string_view text, WallTime now) {
  const std::int64_t now_us = to_us(now);
  if (text == "now") return Point{now_us, now_us};
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    const auto distance = duration_us(text.substr(1));
    if (!distance) return std::nullopt;
    const std::int64_t at = text.front() == '-' ? now_us - *distance : now_us + *distance;
    return Point{at, at};
  }
  const auto day = take_date(text);
  if (!day) return std::nullopt;
  if (text.empty()) return Point{*day, *day + kDayUs - 1};
  if (text.front() != 'T') return std::nullopt;
  return clock_of(*day, text.substr(1));
}

Result<Point> parse_point(std::string_view text, PointKind kind, WallTime now) {
  switch (kind) {
    case PointKind::integer:
      if (const auto value = whole_integer(text)) return Point{*value, *value};
      return no_point(text, "is no integer");
    case PointKind::duration:
      if (const auto value = duration_us(text)) return Point{*value, *value};
      return no_point(text, "is no duration like 15s, 5m, 2h or 3d");
    case PointKind::time:
      if (const auto value = time_point_of(text, now)) return *value;
      if (duration_us(text))
        return no_point(text, "has no sign: -" + std::string{text} + " is that long ago, +" +
                                  std::string{text} + " that far ahead");
      return no_point(text, "is no time like 2026-03-02, 2026-03-02T10:14:00Z, now, -2h or +10m");
  }
  return no_point(text, "is no point");
}

}  // namespace

Result<Range> parse_range(std::string_view text, PointKind kind, WallTime now) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return parse_point(text, kind, now);
  Range range;
  if (const auto head = text.substr(0, dots); !head.empty()) {
    auto point = parse_point(head, kind, now);
    if (!point) return point;
    range.first = point->first;
  }
  if (const auto tail = text.substr(dots + 2); !tail.empty()) {
    auto point = parse_point(tail, kind, now);
    if (!point) return point;
    range.last = point->last;
  }
  if (range.first && range.last && *range.first > *range.last) return no_point(text, "ends before it begins");
  return range;
}

Result<WallTime> parse_time(std::string_view text, WallTime now) {
  const auto point = parse_point(text, PointKind::time, now);
  if (!point) return fail(ErrorCode::bad_options, point.error().message);
  return from_us(*point->first);
}

}  // namespace tenure::queue
