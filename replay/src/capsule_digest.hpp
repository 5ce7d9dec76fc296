#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <string>

namespace tenure::replay {

// SHA-256, in digits, of what can be read of a capsule: its schema, each row of each table but that of the digest itself, typed and in
// the order in which it lies there, and what SQLite finds when it compares indexes with tables. Not of the bytes of the file, so that
// whoever copies its rows into another file keeps it. `look` is called after each megabyte; what it throws ends it. Internal.
[[nodiscard]] std::string digest_of(sqlite::Connection& connection, FunctionRef<void()> look);

}  // namespace tenure::replay
