#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

namespace tenure::sqlite {

// Runs `work`, and `look` each few milliseconds while a statement of the connection runs, also while it only reads the database's file; what
// `look` throws ends the statement and is what this throws. Not within another one of its thread. Threads: that of the connection.
void run_watched(Connection& connection, FunctionRef<void()> look, FunctionRef<void()> work);

}  // namespace tenure::sqlite
