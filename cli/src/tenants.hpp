#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>

#include <vector>

namespace tenure::cli {

// Of all that live those that are wanted, with what that has filled in of them, in the order of their names. It reads page by page, and its cost grows with how many there
// are.
[[nodiscard]] std::vector<queue::TenantSummary> tenants_where(
    Session& session, FunctionRef<bool(queue::TenantSummary&)> is_wanted);

}  // namespace tenure::cli
