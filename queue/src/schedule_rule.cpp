#include <tenure/queue/schedule_rule.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tenure::queue {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Stretches of time that are looked at for one tick: four hundred years of two changes a year.
constexpr int kSpansMax = 1000;

// What clocks show while they stand by this offset.
local_seconds shown(sys_seconds time, seconds offset) {
  return local_seconds{time.time_since_epoch() + offset};
}
sys_seconds instant(local_seconds time, seconds offset) {
  return sys_seconds{time.time_since_epoch() - offset};
}

// How the clocks stood before the span that begins there.
seconds offset_before(const TimeZone& zone, const ZoneSpan& span) {
  return zone.span_at(span.begin - seconds{1}).offset;
}

// Whether clocks are put forward at its beginning past a time that is meant.
bool has_skipped(const CronIn& rule, const ZoneSpan& span, seconds before) {
  if (span.offset <= before) return false;
  const auto skipped = rule.cron.next(shown(span.begin, before));
  return skipped && *skipped < shown(span.begin, span.offset);
}

std::optional<sys_seconds> next_of_cron(const CronIn& rule, sys_seconds from) {
  for (int spans = 0; spans < kSpansMax; ++spans) {
    const ZoneSpan span = rule.zone.span_at(from);
    local_seconds local = shown(from, span.offset);
    if (!rule.cron.is_by_the_hour()) {
      const seconds before = offset_before(rule.zone, span);
      if (from == span.begin && has_skipped(rule, span, before)) return from;
      // Clocks were put back: up to here they show for a second time what they have shown.
      local = std::max(local, shown(span.begin, before));
    }
    const auto next = rule.cron.next(local);
    if (!next) return std::nullopt;
    const sys_seconds at = instant(*next, span.offset);
    if (at < span.end) return at;
    from = span.end;
  }
  return std::nullopt;
}

WallTime next_of_interval(std::chrono::microseconds interval, WallTime after) {
  const auto since = after.time_since_epoch();
  auto whole = since / interval;
  if (since < whole * interval) --whole;  // before 1970
  return WallTime{(whole + 1) * interval};
}

Result<ScheduleRule> read_interval(std::chrono::microseconds every) {
  if (every < kEveryMin || every > kEveryMax || every % seconds{1} != std::chrono::microseconds{0})
    return fail(ErrorCode::bad_options, "an interval is a whole number of seconds, from 1s to 366d");
  return Every{every};
}

std::string change_note(const CronIn& rule, const ZoneSpan& span, sys_seconds at) {
  if (span.begin < at - std::chrono::hours{24 * 366}) return {};
  const seconds before = offset_before(rule.zone, span);
  const auto clocks = [](local_seconds time) {
    return fmt::format("{:%T}", time.time_since_epoch() % std::chrono::days{1});
  };
  const std::string from = clocks(shown(span.begin, before));
  const std::string to = clocks(shown(span.begin, span.offset));
  if (at == span.begin && span.offset > before) return fmt::format("clocks go from {} to {}", from, to);
  if (span.offset < before && shown(at, span.offset) < shown(span.begin, before))
    return fmt::format("second time: clocks went from {} back to {}", from, to);
  const ZoneSpan next = rule.zone.span_at(span.end);
  if (next.offset < span.offset && shown(at, span.offset) >= shown(span.end, next.offset))
    return fmt::format("first time: clocks go from {} back to {}", clocks(shown(span.end, span.offset)),
                       clocks(shown(span.end, next.offset)));
  return {};
}

ShownTick shown_tick(const ScheduleRule& rule, WallTime at) {
  ShownTick tick{.at = at, .local = {}, .note = {}};
  const auto whole = std::chrono::floor<seconds>(at);
  seconds offset{0};
  std::string abbreviation = "UTC";
  if (const auto* const cron = std::get_if<CronIn>(&rule)) {
    const ZoneSpan span = cron->zone.span_at(whole);
    offset = span.offset;
    abbreviation = span.abbreviation;
    tick.note = change_note(*cron, span, whole);
  }
  const local_seconds local = shown(whole, offset);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  tick.local = fmt::format("{:04}-{:02}-{:02} {:%T} {}", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           local - day, abbreviation);
  return tick;
}

}  // namespace

Result<ScheduleRule> read_rule(const WrittenRule& written) {
  const bool is_interval = written.every != std::chrono::microseconds{0};
  if (is_interval != written.cron.empty())
    return fail(ErrorCode::bad_options, "a schedule has either cron or every");
  if (is_interval) return read_interval(written.every);
  auto cron = Cron::parse(written.cron);
  if (!cron) return tl::unexpected(std::move(cron.error()));
  auto zone = TimeZone::find(written.time_zone);
  if (!zone) return tl::unexpected(std::move(zone.error()));
  if (!cron->next(local_seconds{seconds{0}}))
    return fail(ErrorCode::bad_options, fmt::format("cron: \"{}\" never comes, in no year", written.cron));
  return CronIn{std::move(*cron), std::move(*zone)};
}

std::optional<WallTime> next_tick(const ScheduleRule& rule, WallTime after) {
  if (const auto* const every = std::get_if<Every>(&rule)) return next_of_interval(every->interval, after);
  const auto from = std::chrono::floor<seconds>(after) + seconds{1};
  const auto next = next_of_cron(std::get<CronIn>(rule), from);
  if (!next) return std::nullopt;
  return WallTime{*next};
}

std::vector<ShownTick> preview_ticks(const ScheduleRule& rule, WallTime after, std::size_t count) {
  std::vector<ShownTick> ticks;
  while (ticks.size() < count) {
    const auto next = next_tick(rule, after);
    if (!next) break;
    ticks.push_back(shown_tick(rule, *next));
    after = *next;
  }
  return ticks;
}

}  // namespace tenure::queue
