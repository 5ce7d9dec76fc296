#pragma once

#include <tenure/base/sqlite/migrations.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace tenure {

inline constexpr std::size_t kMigrationBytesMax = 4UL << 20U;
inline constexpr std::size_t kMigrationsMax = 9999;

// The application's migrations: the files `0001_words.sql`, `0002_...` of a folder, in the order of their
// numbers. Other endings are ignored. BadConfiguration: no such folder; a .sql file without a number; a
// number twice or missing; a file above kMigrationBytesMax, not UTF-8, or not a plain file.
[[nodiscard]] std::vector<sqlite::Migration> read_migrations(const std::filesystem::path& folder);

}  // namespace tenure
