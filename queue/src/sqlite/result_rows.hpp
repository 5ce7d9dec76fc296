#pragma once

#include <tenure/base/sqlite/query.hpp>

#include <vector>

namespace tenure::queue {

[[nodiscard]] std::vector<const sqlite::Query*> result_queries();

}  // namespace tenure::queue
