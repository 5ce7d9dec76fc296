#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <vector>

namespace tenure::sqlite {
namespace {

constexpr Query kTableExists{
    "migration_table_exists",
    "select 1 from sqlite_schema where type = 'table' and name = 'tenure_migration'"};

constexpr Query kCreateTable{"create_migration_table", R"sql(
  create table tenure_migration(
    number integer primary key,
    name text not null,
    hash text not null,          -- FNV-1a, 64 bits, of the step's text
    applied_us integer not null
  ) strict)sql"};

// Index: primary key.
constexpr Query kApplied{"applied_migrations",
                         "select number, name, hash from tenure_migration order by number"};

// ?1 number  ?2 name  ?3 hash  ?4 now_us
constexpr Query kRecord{
    "record_migration",
    "insert into tenure_migration(number, name, hash, applied_us) values(?1, ?2, ?3, ?4)"};

// Finds a step that somebody edited; it need not withstand an attacker, who could edit the row as well.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

[[noreturn]] void mismatch(const Connection& connection, std::string message) {
  raise(ErrorCode::schema_mismatch, std::move(message), {}, connection.path().string());
}

bool has_table(Connection& connection) { return connection.statement(kTableExists).step(); }

// How many of `migrations` the database has; all of them are as they were when they were applied.
std::size_t count_applied(Connection& connection, std::span<const Migration> migrations) {
  if (!has_table(connection)) return 0;
  std::size_t count = 0;
  Statement rows = connection.statement(kApplied);
  while (rows.step()) {
    if (count == migrations.size())
      mismatch(connection,
               fmt::format("the database has schema step {} ({}), this program knows {} steps; use the "
                           "program that is as new as the database",
                           rows.integer(0), rows.text(1), migrations.size()));
    const Migration& step = migrations[count];
    if (rows.integer(0) != step.number)
      mismatch(connection, fmt::format("schema step {} is missing in the database, which has step {}",
                                       step.number, rows.integer(0)));
    if (rows.text(2) != hash_of(step.sql))
      mismatch(connection,
               fmt::format("schema step {} ({}) was edited after it had been applied; put its text back and "
                           "write a new step",
                           step.number, step.name));
    ++count;
  }
  return count;
}

void refuse_gaps(const Connection& connection, std::span<const Migration> migrations) {
  std::int64_t expected = 1;
  for (const Migration& step : migrations) {
    if (step.number != expected)
      mismatch(connection,
               fmt::format("schema steps are numbered 1, 2, 3 ...; {} ({}) stands where {} belongs",
                           step.number, step.name, expected));
    ++expected;
  }
}

// SQLite says of BEGIN, VACUUM and some pragmas only that there is a transaction, and not whose.
void execute_step(Connection& connection, const Migration& step) {
  try {
    connection.execute(Query{step.name, step.sql});
  } catch (const QueryFailed& error) {
    Failure failure = error.failure();
    if (failure.message.find("transaction") != std::string::npos)
      failure.message += "; migrations run in a transaction of Tenure's own";
    raise(std::move(failure));
  }
}

// One step in a transaction of its own. Looks again under the lock: another process may have been faster.
bool apply_next(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us) {
  WriteTransaction transaction{connection};
  const std::size_t applied = count_applied(connection, migrations);
  if (applied == migrations.size()) return false;
  const Migration& step = migrations[applied];
  if (!has_table(connection)) connection.execute(kCreateTable);
  execute_step(connection, step);
  if (!connection.in_transaction())
    mismatch(connection,
             fmt::format("schema step {} ({}) ended its transaction; a step must not say commit or rollback",
                         step.number, step.name));
  connection.statement(kRecord).bind(step.number, step.name, hash_of(step.sql), now_us).run();
  transaction.commit();
  return true;
}

}  // namespace

int migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us) {
  refuse_gaps(connection, migrations);
  int applied = 0;
  if (count_applied(connection, migrations) == migrations.size()) return applied;
  while (apply_next(connection, migrations, now_us)) ++applied;
  return applied;
}

void require_applied(Connection& connection, std::span<const Migration> migrations) {
  const std::size_t applied = count_applied(connection, migrations);
  if (applied == migrations.size()) return;
  mismatch(
      connection,
      fmt::format("the database has {} of the {} schema steps that this program knows; tenured, or a command "
                  "that writes, brings it up to date",
                  applied, migrations.size()));
}

std::int64_t schema_version(Connection& connection) {
  if (!has_table(connection)) return 0;
  std::int64_t version = 0;
  Statement rows = connection.statement(kApplied);
  while (rows.step()) {
    if (rows.integer(0) != version + 1)
      mismatch(connection, fmt::format("the database lacks schema step {}", version + 1));
    version = rows.integer(0);
  }
  return version;
}

}  // namespace tenure::sqlite
