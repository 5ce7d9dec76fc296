#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Variables by which a service manager speaks to the process that it starts, and to no program that we start.
// Threads: none but the caller's yet.
namespace tenure::daemon {

// Its value, empty where it is not there; it is gone from the environment.
[[nodiscard]] std::string take_variable(const char* name);

// Nothing unless the whole text is a number above 0.
[[nodiscard]] std::optional<std::int64_t> positive_number(std::string_view text);

}  // namespace tenure::daemon
