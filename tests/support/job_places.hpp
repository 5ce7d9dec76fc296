#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <string>
#include <vector>

// Counts where each job of a control database stands, over all tables: exactly one place is right. One line for each that is
// not, and for each row of a table whose job is not what the row says; empty where all is well.
namespace tenure::testing {

[[nodiscard]] std::vector<std::string> misplaced_jobs(sqlite::Connection& connection);

}  // namespace tenure::testing
