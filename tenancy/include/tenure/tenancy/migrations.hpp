#pragma once

#include <tenure/base/sqlite/migration.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace tenure {

inline constexpr std::size_t kMigrationBytesMax = 4UL << 20U;
inline constexpr std::size_t kMigrationsMax = 9999;

// The application's migrations: the files `0001_words.sql`, `0002_words.sql`, ... of a folder, from 1 without a gap (leading zeros are
// for whoever lists the folder), in the order of their numbers. Other endings are ignored, but for .sql in capital letters. Each file is
// any number of statements and runs in a transaction of Tenure's own, so it says no BEGIN, COMMIT, ROLLBACK, SAVEPOINT, VACUUM or
// PRAGMA; names that begin with `tenure_` are Tenure's. One whose first line is `-- tenure: code` has C++ code besides (has_code()).
// They are carried out when a tenant is made; what was added later by migrate_tenant() (tenant_migration.hpp).
// BadConfiguration: no such folder; a .sql file without a number, or .SQL; a number twice or missing; a file above kMigrationBytesMax,
// not UTF-8, or not a plain file.
[[nodiscard]] std::vector<sqlite::Migration> read_migrations(const std::filesystem::path& folder);

// Whether its file says that C++ code belongs to it, which a worker program has under the step's name: JobRegistry::add_migration. The
// code is carried out behind the file's statements, in the same transaction, where rows may be there that it converts: not in a tenant
// that is made with all steps at once.
[[nodiscard]] bool has_code(const sqlite::Migration& step);

}  // namespace tenure
