#pragma once

#include <string>
#include <string_view>

namespace tenure::cli {

// Whether a member of that name is never shown: it contains password, token or secret, in any case.
[[nodiscard]] bool is_masked(std::string_view name);

// Arguments as they may be shown: the same JSON with the values of masked members, at any depth, replaced by "••••".
// Empty where `json` is no JSON, since then nothing could be masked.
[[nodiscard]] std::string masked_json(std::string_view json);

}  // namespace tenure::cli
