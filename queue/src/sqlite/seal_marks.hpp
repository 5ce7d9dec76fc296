#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/seal.hpp>

#include <vector>

// The table seal_mark. Internal.
namespace tenure::queue {

[[nodiscard]] SealMarks read_seal_marks(sqlite::Connection& connection);
// In the caller's write transaction.
void write_seal_marks(sqlite::Connection& connection, const SealMarks& marks);

[[nodiscard]] std::vector<const sqlite::Query*> seal_mark_queries();

}  // namespace tenure::queue
