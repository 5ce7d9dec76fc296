#pragma once

#include "session.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace tenure::cli {

// What --until says: a length of time from now, of at most `longest`, or a point of time. Nothing where it is not given. BadOptions;
// of what is longer with `bound`, which says so: "at most 366 days".
[[nodiscard]] std::optional<WallTime> until_option(const Session& session, std::chrono::hours longest,
                                                   std::string_view bound);

}  // namespace tenure::cli
