#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

namespace tenure::sqlite {

// Runs `work`, and `look` each few milliseconds while a statement of the connection runs; what `look` throws ends the statement and is
// what this throws. A check of all pages looks between two tables only. Threads: that of the connection.
void run_watched(Connection& connection, FunctionRef<void()> look, FunctionRef<void()> work);

}  // namespace tenure::sqlite
