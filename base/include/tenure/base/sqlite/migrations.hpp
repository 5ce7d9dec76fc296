#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migration.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// Which numbered steps a database has, and bringing it on. Table: tenure_migration(number, name, hash, applied_us).
namespace tenure::sqlite {

struct AppliedSteps {
  std::size_t count = 0;           // of `migrations`, from the first one on
  std::optional<Migration> newer;  // the first one that they lack; without its text
  bool has_table = false;          // of the steps
};

// SchemaMismatch: a step that was applied has another text now, or one before it is missing. Changes nothing.
[[nodiscard]] AppliedSteps applied_steps(Connection& connection, std::span<const Migration> migrations);

// Carries out the step that follows those that are applied, and notes it, in the caller's transaction. SchemaMismatch: the step ended
// that transaction. `now_us` is what the row carries as its time.
void apply_step(Connection& connection, const Migration& step, std::int64_t now_us);

// Its three parts, in their order, for whoever carries out something between them. What execute_step throws of a statement names the step
// and the line on which that statement begins.
void make_step_table(Connection& connection);
struct ExecutedStep {
  std::int64_t cookie_before = 0;
};
[[nodiscard]] ExecutedStep execute_step(Connection& connection, const Migration& step);
void record_step(Connection& connection, const Migration& step, ExecutedStep executed, std::int64_t now_us);

// SchemaMismatch where they are not numbered 1, 2, 3 ...
void refuse_gaps(const Connection& connection, std::span<const Migration> migrations);

// Brings a database from whatever step it has to the last one. Each step and its row (number, name, hash of the text)
// commit together, so that whoever is interrupted goes on where it was.
// SchemaMismatch: as above; steps not numbered 1, 2, 3 ...; the database is newer.
// The caller syncs. Returns the number of steps applied.
int migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us);

// The last applied step, 0 for none. SchemaMismatch where one before it is missing. Changes nothing.
[[nodiscard]] std::int64_t schema_version(Connection& connection);

// The statement that makes the table of the steps, for whoever compares a file's schema.
[[nodiscard]] std::string_view migration_table_sql();

// A number that is another one after each change of tables and indexes, by whomever, and after each step, whatever that does: it costs a look at the first page.
[[nodiscard]] std::int64_t schema_cookie(Connection& connection);

}  // namespace tenure::sqlite
