#pragma once

#include <tenure/base/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// How many may start in any stretch of time of one length: "100/1m". Threads: values.
namespace tenure {

inline constexpr std::int64_t kRateStartsMax = 1'000'000;
inline constexpr std::chrono::seconds kRateWindowMin{1};
inline constexpr std::chrono::hours kRateWindowMax{24};

struct StartRate {
  std::int64_t starts = 1;                            // 1 to kRateStartsMax
  std::chrono::microseconds window = kRateWindowMin;  // whole seconds, kRateWindowMin to kRateWindowMax
  friend bool operator==(const StartRate&, const StartRate&) = default;
};

// BadOptions, whose message is a clause: "is no rate: ...".
[[nodiscard]] Result<StartRate> parse_start_rate(std::string_view text);
// As it would be written, with the largest unit that divides the window.
[[nodiscard]] std::string text_of(const StartRate& rate);

}  // namespace tenure
