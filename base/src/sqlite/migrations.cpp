#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

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

constexpr Query kSchemaCookie{"schema_cookie", "pragma schema_version"};

// The cookie can be raised by a change of tables alone.
constexpr Query kRaiseCookie{"raise_schema_cookie",
                             "create table tenure_raises_cookie(x); drop table tenure_raises_cookie"};

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

[[noreturn]] void refuse_newer(const Connection& connection, const Migration& newer, std::size_t known) {
  mismatch(connection,
           fmt::format("the database has schema step {} ({}), this program knows {} steps; use the "
                       "program that is as new as the database",
                       newer.number, newer.name, known));
}

// SQLite says of BEGIN, VACUUM and some pragmas only that there is a transaction, and not whose.
[[noreturn]] void raise_with_hint(const QueryFailed& error) {
  Failure failure = error.failure();
  if (failure.message.find("transaction") != std::string::npos)
    failure.message += "; migrations run in a transaction of Tenure's own";
  raise(std::move(failure));
}

std::string place_in(const Migration& step, const char* statement) {
  const char* const text = step.sql.c_str();
  // Blanks and comments before a statement are no part of it for whoever looks for the line.
  const char* begin = statement;
  while (*begin != '\0') {
    if (*begin == ' ' || *begin == '\t' || *begin == '\n' || *begin == '\r') ++begin;
    else if (std::string_view{begin}.starts_with("--")) begin += std::strcspn(begin, "\n");
    else break;
  }
  return fmt::format("{} line {}", step.name, 1 + std::count(text, begin, '\n'));
}

void execute_statements(const Connection& connection, const Migration& step) {
  sqlite3* const database = connection.native();
  const char* rest = step.sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* statement = nullptr;
    const char* next = rest;
    int code = sqlite3_prepare_v2(database, rest, -1, &statement, &next);
    while (code == SQLITE_OK && statement != nullptr && (code = sqlite3_step(statement)) == SQLITE_ROW)
      code = SQLITE_OK;
    if (code == SQLITE_DONE) code = SQLITE_OK;
    const int ended = sqlite3_finalize(statement);
    if (code == SQLITE_OK) code = ended;
    if (code != SQLITE_OK) raise_sqlite(database, code, place_in(step, rest));
    rest = next;
  }
}

// One step in a transaction of its own. Looks again under the lock: another process may have been faster.
bool apply_next(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us) {
  WriteTransaction transaction{connection};
  const AppliedSteps applied = applied_steps(connection, migrations);
  if (applied.newer) refuse_newer(connection, *applied.newer, migrations.size());
  if (applied.count == migrations.size()) return false;
  apply_step(connection, migrations[applied.count], now_us);
  transaction.commit();
  return true;
}

}  // namespace

AppliedSteps applied_steps(Connection& connection, std::span<const Migration> migrations) {
  AppliedSteps applied;
  applied.has_table = has_table(connection);
  if (!applied.has_table) return applied;
  Statement rows = connection.statement(kApplied);
  while (rows.step()) {
    if (applied.count == migrations.size()) {
      applied.newer = Migration{rows.integer(0), std::string{rows.text(1)}, {}};
      break;
    }
    const Migration& step = migrations[applied.count];
    if (rows.integer(0) != step.number)
      mismatch(connection, fmt::format("schema step {} is missing in the database, which has step {}",
                                       step.number, rows.integer(0)));
    if (rows.text(2) != hash_of(step.sql))
      mismatch(connection,
               fmt::format("schema step {} ({}) was edited after it had been applied; put its text back and "
                           "write a new step",
                           step.number, step.name));
    ++applied.count;
  }
  return applied;
}

void make_step_table(Connection& connection) {
  if (!has_table(connection)) connection.execute(kCreateTable);
}

ExecutedStep execute_step(Connection& connection, const Migration& step) {
  TENURE_INVARIANT(connection.in_transaction());
  const ExecutedStep executed{schema_cookie(connection)};
  try {
    execute_statements(connection, step);
  } catch (const QueryFailed& error) {
    raise_with_hint(error);
  }
  if (connection.in_transaction()) return executed;
  mismatch(connection,
           fmt::format("schema step {} ({}) ended its transaction; a step must not say commit or rollback",
                       step.number, step.name));
}

void record_step(Connection& connection, const Migration& step, ExecutedStep executed, std::int64_t now_us) {
  if (schema_cookie(connection) == executed.cookie_before) connection.execute(kRaiseCookie);
  connection.statement(kRecord).bind(step.number, step.name, hash_of(step.sql), now_us).run();
}

void apply_step(Connection& connection, const Migration& step, std::int64_t now_us) {
  TENURE_INVARIANT(connection.in_transaction());
  make_step_table(connection);
  record_step(connection, step, execute_step(connection, step), now_us);
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

int migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us) {
  refuse_gaps(connection, migrations);
  int applied = 0;
  while (apply_next(connection, migrations, now_us)) ++applied;
  return applied;
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

std::string_view migration_table_sql() { return kCreateTable.sql; }

std::int64_t schema_cookie(Connection& connection) {
  return connection.statement(kSchemaCookie).row().integer(0);
}

}  // namespace tenure::sqlite
