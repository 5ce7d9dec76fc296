#pragma once

#include <tenure/base/error.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace tenure {

// The code that name_of() calls so; nothing where there is none.
[[nodiscard]] std::optional<ErrorCode> error_named(std::string_view name);

// All names, in the order of their codes' blocks.
[[nodiscard]] std::vector<std::string_view> error_names();

}  // namespace tenure
