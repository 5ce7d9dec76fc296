#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migration.hpp>

#include <cstdint>
#include <span>

namespace tenure::sqlite {

// Brings a database from whatever step it has to the last one. Each step and its row (number, name, hash of the text)
// commit together. Table: tenure_migration(number, name, hash, applied_us).
// SchemaMismatch: steps not numbered 1, 2, 3 ...; a step that was applied has another text now; the database is newer.
// `now_us` is what the rows carry as their time. The caller syncs. Returns the number of steps applied.
int migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us);

// SchemaMismatch unless exactly these steps were applied, as they are. Changes nothing.
void require_applied(Connection& connection, std::span<const Migration> migrations);

// The last applied step, 0 for none. SchemaMismatch where one before it is missing. Changes nothing.
[[nodiscard]] std::int64_t schema_version(Connection& connection);

}  // namespace tenure::sqlite
