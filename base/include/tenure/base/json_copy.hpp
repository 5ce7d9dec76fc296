#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/json.hpp>

#include <string_view>

namespace tenure::json {

// Writes the same value; a member whose name `is_hidden` is the text `instead`, whatever it was. As deep as the document, whose depth
// is limited. Threads: each call is on its own.
void copy(Writer& writer, const Value& value, FunctionRef<bool(std::string_view name)> is_hidden,
          std::string_view instead);

// All of it.
void copy(Writer& writer, const Value& value);

}  // namespace tenure::json
