#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace tenure::queue {

// One number has one text: no plus, no leading zero, no minus before 0. Nothing for any other text. Internal.
[[nodiscard]] inline std::optional<std::int64_t> canonical_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text != std::to_string(value))
    return std::nullopt;
  return value;
}

}  // namespace tenure::queue
