#pragma once

#include <tenure/base/error.hpp>

#include <string_view>

struct sqlite3;

namespace tenure::sqlite {

// The one table from SQLite's result codes to ours; nobody else looks at the numbers.
[[nodiscard]] ErrorCode classify(int extended_result_code, int system_error);

// Throws the typed error of a failed call. `where` is the query's name or the file.
[[noreturn]] void raise_sqlite(sqlite3* database, int result_code, std::string_view where);

}  // namespace tenure::sqlite
