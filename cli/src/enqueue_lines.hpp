#pragma once

#include "session.hpp"

namespace tenure::cli {

// Jobs from standard input, one a line, in commits of some hundred: each line gets its result, a bad one stops no other.
[[nodiscard]] ExitCode enqueue_lines(Session& session);

}  // namespace tenure::cli
