#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <string>
#include <vector>

// What the store itself would find wrong with a control database, whose jobs stand in exactly one place each: a line for each kind of
// defect, empty where all is well.
namespace tenure::testing {

[[nodiscard]] std::vector<std::string> misplaced_jobs(sqlite::Connection& connection);

}  // namespace tenure::testing
