#include <tenure/base/start_rate.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace tenure {
namespace {

struct WindowUnit {
  char name;
  std::int64_t seconds;
};
// From the largest, for printing.
constexpr std::array kWindowUnits{WindowUnit{'d', 86'400}, WindowUnit{'h', 3'600}, WindowUnit{'m', 60},
                                  WindowUnit{'s', 1}};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end ? std::optional{value} : std::nullopt;
}

std::optional<std::int64_t> window_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (const WindowUnit& unit : kWindowUnits) {
    if (unit.name != text.back()) continue;
    const auto count = whole_number(text.substr(0, text.size() - 1));
    if (!count || *count < 1 || *count > std::chrono::seconds{kRateWindowMax}.count() / unit.seconds)
      return std::nullopt;
    return *count * unit.seconds;
  }
  return std::nullopt;
}

}  // namespace

Result<StartRate> parse_start_rate(std::string_view text) {
  const auto slash = text.find('/');
  const auto starts = slash == std::string_view::npos ? std::nullopt : whole_number(text.substr(0, slash));
  const auto window = starts ? window_seconds(text.substr(slash + 1)) : std::nullopt;
  if (!window || *starts < 1 || *starts > kRateStartsMax)
    return fail(
        ErrorCode::bad_options,
        fmt::format("is no rate: write how many starts (1 to {}), a slash and a time of 1s to 24h, as "
                    "in \"100/1m\"",
                    kRateStartsMax));
  return StartRate{*starts, std::chrono::seconds{*window}};
}

std::string text_of(const StartRate& rate) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(rate.window).count();
  for (const WindowUnit& unit : kWindowUnits)
    if (seconds > 0 && seconds % unit.seconds == 0)
      return fmt::format("{}/{}{}", rate.starts, seconds / unit.seconds, unit.name);
  return fmt::format("{}/{}s", rate.starts, seconds);
}

}  // namespace tenure
