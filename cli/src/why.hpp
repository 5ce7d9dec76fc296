#pragma once

#include "session.hpp"
#include "table.hpp"

#include <span>
#include <string>

namespace tenure::cli {

// Why the jobs that match do not run: the deciding reasons, counted, in a table.
[[nodiscard]] std::string reasons_text(Session& session, std::span<const std::string> words,
                                       const TableStyle& style, WallTime now);

}  // namespace tenure::cli
