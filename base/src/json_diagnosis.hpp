#pragma once

#include <tenure/base/json.hpp>

#include <optional>
#include <string_view>

namespace tenure::json {

// Why a text is not JSON, with path and offset; nothing if it is well-formed. Slower than simdjson, and so asked only about
// texts that simdjson refused.
//
// A second parser, because simdjson's has no such answer. dom::parser tells a code and no place. The on-demand one has
// current_location(), but (3.0.1) gives no document at all, and so no place, for bad UTF-8, an unclosed string and a bare control
// character; takes what stands behind the value without a word; calls a number that is too large, malformed or cut off one and
// the same; and knows no path. Whoever fills those gaps scans strings, numbers and containers again, which is this parser.
[[nodiscard]] std::optional<Failure> diagnose(std::string_view text, ReadLimits limits);

}  // namespace tenure::json
