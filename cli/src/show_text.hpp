#pragma once

#include <tenure/base/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Numbers and times as people read them on a terminal, and as programs read them elsewhere.
namespace tenure::cli {

struct ShowStyle {
  bool terminal = false;  // thousands in groups, times relative to now
  bool utc = false;       // times as RFC 3339, on a terminal too
  WallTime now{};
};

[[nodiscard]] std::string number_text(std::int64_t number, const ShowStyle& style);
// "1,000,000+" where there are more than were counted.
[[nodiscard]] std::string count_text(std::int64_t count, bool capped, const ShowStyle& style);

// "250 ms" "41 s" "6 min" "3 h" "2 d", rounded down. Negative ones are nothing's length: "0 s".
[[nodiscard]] std::string duration_text(std::chrono::microseconds duration);
// "2.1 s", for lengths of runs.
[[nodiscard]] std::string seconds_text(std::chrono::microseconds duration);

// "48 s ago", "in 41 s" or RFC 3339; "-" for none.
[[nodiscard]] std::string time_text(const std::optional<WallTime>& time, const ShowStyle& style);
// "2026-03-02 10:14:41 (in 41 s)" in local time, or RFC 3339.
[[nodiscard]] std::string full_time_text(const std::optional<WallTime>& time, const ShowStyle& style);
// How long that is ago: "48 s", elsewhere "48.5"; "-" for none.
[[nodiscard]] std::string age_text(const std::optional<WallTime>& since, const ShowStyle& style);

// "812 MiB" on a terminal, else the bytes.
[[nodiscard]] std::string bytes_text(std::int64_t bytes, const ShowStyle& style);

// "1 job", "2 jobs"; with a plural of its own, "2 worker processes".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun, const ShowStyle& style);
[[nodiscard]] std::string counted(std::int64_t count, std::string_view one, std::string_view many,
                                  const ShowStyle& style);

}  // namespace tenure::cli
