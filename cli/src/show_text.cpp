#include "show_text.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace tenure::cli {
namespace {

using namespace std::chrono_literals;

std::string local_time(WallTime time) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return to_rfc3339(time);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string relative(WallTime time, WallTime now) {
  return time > now ? "in " + duration_text(time - now) : duration_text(now - time) + " ago";
}

}  // namespace

std::string number_text(std::int64_t number, const ShowStyle& style) {
  std::string digits = std::to_string(number);
  if (!style.terminal) return digits;
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string count_text(std::int64_t count, bool capped, const ShowStyle& style) {
  return number_text(count, style) + (capped ? "+" : "");
}

std::string duration_text(std::chrono::microseconds duration) {
  struct Unit {
    std::chrono::microseconds length, until;
    std::string_view name;
  };
  constexpr std::array kUnits{Unit{1ms, 1s, "ms"}, Unit{1s, 2min, "s"}, Unit{1min, 2h, "min"},
                              Unit{1h, 48h, "h"}};
  if (duration < 1ms) return "0 s";
  for (const Unit& unit : kUnits)
    if (duration < unit.until) return fmt::format("{} {}", duration / unit.length, unit.name);
  return fmt::format("{} d", duration / 24h);
}

std::string seconds_text(std::chrono::microseconds duration) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(duration).count());
}

std::string time_text(const std::optional<WallTime>& time, const ShowStyle& style) {
  if (!time) return "-";
  return style.terminal && !style.utc ? relative(*time, style.now) : to_rfc3339(*time);
}

std::string full_time_text(const std::optional<WallTime>& time, const ShowStyle& style) {
  if (!time) return "-";
  if (!style.terminal) return to_rfc3339(*time);
  return (style.utc ? to_rfc3339(*time) : local_time(*time)) + " (" + relative(*time, style.now) + ")";
}

std::string age_text(const std::optional<WallTime>& since, const ShowStyle& style) {
  if (!since) return "-";
  const std::chrono::microseconds age = style.now - *since;
  return style.terminal ? duration_text(age)
                        : fmt::format("{:.1f}", std::chrono::duration<double>(age).count());
}

std::string bytes_text(std::int64_t bytes, const ShowStyle& style) {
  if (!style.terminal) return std::to_string(bytes);
  constexpr std::array<std::string_view, 4> kUnits{"bytes", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  constexpr std::int64_t kStep = 1024;
  while (unit + 1 < kUnits.size() && bytes >= 10 * kStep) {
    bytes /= kStep;
    ++unit;
  }
  return number_text(bytes, style) + ' ' + std::string(kUnits[unit]);
}

std::string counted(std::int64_t count, std::string_view noun, const ShowStyle& style) {
  return fmt::format("{} {}{}", number_text(count, style), noun, count == 1 ? "" : "s");
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many, const ShowStyle& style) {
  return fmt::format("{} {}", number_text(count, style), count == 1 ? one : many);
}

}  // namespace tenure::cli
