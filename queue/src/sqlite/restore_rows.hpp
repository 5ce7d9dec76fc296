#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/restore.hpp>

#include <optional>
#include <vector>

// The table restore, and what meta says of copies. Internal.
namespace tenure::queue {

// Where the database is a copy that nobody has accepted: when it was made.
[[nodiscard]] std::optional<WallTime> copied_when(sqlite::Connection& connection);
// It is none any more. Returns the store's new epoch.
[[nodiscard]] std::int64_t raise_store_epoch(sqlite::Connection& connection);
void insert_restore(sqlite::Connection& connection, const RestoreRecord& record);

[[nodiscard]] std::vector<const sqlite::Query*> restore_queries();

}  // namespace tenure::queue
