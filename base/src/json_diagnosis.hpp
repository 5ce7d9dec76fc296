#pragma once

#include <tenure/base/json.hpp>

#include <optional>
#include <string_view>

namespace tenure::json {

// Why a text is not JSON, with path and offset, which simdjson does not tell; nothing if it is well-formed.
// Slower than simdjson, and so asked only about texts that simdjson refused.
[[nodiscard]] std::optional<Failure> diagnose(std::string_view text, ReadLimits limits);

}  // namespace tenure::json
