#pragma once

#include <tenure/queue/filter.hpp>

#include <string_view>

// The points and ranges of the filter language. Internal to the parser.
namespace tenure::queue {

enum class PointKind : std::uint8_t { integer, duration, time };

// `point`, or `[point]..[point]`. A date names its whole day, a time without a fraction its whole second (or minute), also
// as an end of a range. Durations are microseconds. BadFilter whose message is a clause that begins with the value.
[[nodiscard]] Result<Range> parse_range(std::string_view text, PointKind kind, WallTime now);

}  // namespace tenure::queue
