#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <vector>

// What is left of deleted tenants goes. Internal.
namespace tenure::queue {

[[nodiscard]] std::vector<const sqlite::Query*> erasing_queries();

}  // namespace tenure::queue
