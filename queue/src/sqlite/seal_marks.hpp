#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/seal.hpp>

#include <string_view>
#include <vector>

// The table seal_mark, and what is looked at in the commit that writes it. Internal.
namespace tenure::queue {

[[nodiscard]] SealMarks read_seal_marks(sqlite::Connection& connection);
// In the caller's write transaction.
void write_seal_marks(sqlite::Connection& connection, const SealMarks& marks);
// As StoreWriter says.
void visit_news(sqlite::Connection& connection, JobSeq after,
                FunctionRef<void(std::string_view envelope)> fn);

[[nodiscard]] std::vector<const sqlite::Query*> seal_mark_queries();

}  // namespace tenure::queue
