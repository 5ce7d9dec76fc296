#pragma once

#include <tenure/base/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// Durations and sizes as people write them: one whole number and one unit, nothing else.
namespace tenure::config {

// "250ms" "25s" "5m" "1h" "7d". BadConfiguration says what is wrong with the text, as the end of a sentence.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// In the largest unit that divides it.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

// "512B" "256KiB" "1MiB" "2GiB".
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace tenure::config
