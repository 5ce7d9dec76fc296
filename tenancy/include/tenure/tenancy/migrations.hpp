#pragma once

#include <tenure/base/sqlite/migrations.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace tenure {

inline constexpr std::size_t kMigrationBytesMax = 4UL << 20U;
inline constexpr std::size_t kMigrationsMax = 9999;

// The application's migrations: the files `0001_words.sql`, `0002_words.sql`, ... of a folder, from 1 without a gap (leading zeros are
// for whoever lists the folder), in the order of their numbers. Other endings are ignored, but for .sql in capital letters. Each file is
// any number of statements and runs in a transaction of Tenure's own, so it says no BEGIN, COMMIT, ROLLBACK, SAVEPOINT, VACUUM or
// PRAGMA; names that begin with `tenure_` are Tenure's.
// They are carried out when a tenant is made, and then never again: a later file does not reach tenants that are there, and one that is
// edited is not noticed (docs/manual/writing-jobs.md, "Your tables").
// BadConfiguration: no such folder; a .sql file without a number, or .SQL; a number twice or missing; a file above kMigrationBytesMax,
// not UTF-8, or not a plain file.
[[nodiscard]] std::vector<sqlite::Migration> read_migrations(const std::filesystem::path& folder);

}  // namespace tenure
