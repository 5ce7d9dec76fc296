#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/time_zone.hpp>
#include <tenure/queue/cron.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// When a schedule is due: its ticks, as a pure function of its rule. Nobody else computes them, so that what a preview shows is what fires.
namespace tenure::queue {

inline constexpr std::chrono::microseconds kEveryMin = std::chrono::seconds{1};
inline constexpr std::chrono::microseconds kEveryMax = std::chrono::hours{366 * 24};

// At the multiples of an interval since 1970, UTC: no tick depends on the one before, and so they do not drift.
struct Every {
  std::chrono::microseconds interval{0};
  friend bool operator==(const Every&, const Every&) = default;
};
// At times that clocks on the wall of a place show. Where clocks are put forward or back
//   `*` at the front of the hours   fires at each instant whose wall time matches: skipped times do not fire, repeated ones fire twice
//   anything else                   fires for a skipped time at the first instant behind the gap, once for all of one gap; for a repeated
//                                   time at the first one only
struct CronIn {
  Cron cron;
  TimeZone zone;
};
using ScheduleRule = std::variant<Every, CronIn>;

// One of the two, as it is written. BadOptions: both or none of them, an interval out of bounds or with a fraction of a second, what Cron and
// TimeZone refuse, and a time that never comes.
struct WrittenRule {
  std::string cron = {};
  std::chrono::microseconds every{0};
  std::string time_zone = "UTC";
  friend bool operator==(const WrittenRule&, const WrittenRule&) = default;
};
[[nodiscard]] Result<ScheduleRule> read_rule(const WrittenRule& written);

// The first tick behind `after`; whole seconds. Nothing: there is none, which read_rule refuses, or a calendar is at its end.
[[nodiscard]] std::optional<WallTime> next_tick(const ScheduleRule& rule, WallTime after);

// One tick as a preview shows it.
struct ShownTick {
  WallTime at{};
  std::string local;  // "2026-03-29 03:00:00 CEST"
  std::string note;   // of a clock that is put forward or back just then; empty: none
  friend bool operator==(const ShownTick&, const ShownTick&) = default;
};
// The first `count` ticks behind `after`.
[[nodiscard]] std::vector<ShownTick> preview_ticks(const ScheduleRule& rule, WallTime after,
                                                   std::size_t count);

}  // namespace tenure::queue
