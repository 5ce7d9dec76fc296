#include <tenure/config/units.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace tenure::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// From the largest, for printing.
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                    Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::array kSizeUnits{Unit{"GiB", 1ULL << 30U}, Unit{"MiB", 1ULL << 20U}, Unit{"KiB", 1ULL << 10U},
                                Unit{"B", 1}};
constexpr auto kValueMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

Result<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, std::string_view form) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::invalid_argument) return fail(ErrorCode::bad_configuration, std::string(form));
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (error == std::errc::result_out_of_range || number > kValueMax / unit.factor)
      return fail(ErrorCode::bad_configuration, "is too large for any setting");
    return number * unit.factor;
  }
  return fail(ErrorCode::bad_configuration, std::string(form));
}

std::string print(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  return fmt::format("0{}", units.back().name);
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse(text, kDurationUnits,
                           R"(is no duration: write a whole number and one of ms, s, m, h, d, as in "25s")");
  if (!value) return tl::unexpected(value.error());
  return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
}

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return print(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, kSizeUnits,
               R"(is no size: write a whole number and one of B, KiB, MiB, GiB, as in "256KiB")");
}

std::string size_text(std::uint64_t bytes) { return print(bytes, kSizeUnits); }

}  // namespace tenure::config
