#pragma once

#include <string_view>

namespace tenure::sqlite {

// Whether SQLite of that version ("3.40.1") can damage a database where a checkpoint meets a commit, which is why checkpoints are
// gated (wal.hpp): all to 3.51.2 but 3.44.6 and 3.50.7 and what follows these two in their series
// (https://sqlite.org/wal.html#walresetbug). What is no version counts as affected.
[[nodiscard]] bool has_wal_reset_fault(std::string_view version);

}  // namespace tenure::sqlite
