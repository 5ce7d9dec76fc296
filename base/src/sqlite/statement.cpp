#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <sqlite3.h>

#include <utility>

namespace tenure::sqlite {

Statement::Statement(sqlite3* database, sqlite3_stmt* statement, const Query& query, bool* in_use)
    : database_(database), statement_(statement), query_(&query), in_use_(in_use) {
  if (in_use_ != nullptr) *in_use_ = true;
}

Statement::~Statement() {
  if (statement_ == nullptr || process_.is_inherited()) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);  // they point at the caller's memory
  if (in_use_ != nullptr) *in_use_ = false;
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      query_(other.query_),
      in_use_(std::exchange(other.in_use_, nullptr)),
      next_(other.next_),
      process_(other.process_) {}

bool Statement::step() {
  process_.check("the statement");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  raise_sqlite(database_, code, query_->name);
}

void Statement::run() {
  while (step()) continue;
}

Statement& Statement::row() {
  if (!step())
    raise(ErrorCode::internal, "a row that must be there is missing", {}, std::string{query_->name});
  return *this;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
  // The pointer first: asking for it may convert the value and so change its size.
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> Statement::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ColumnType Statement::type(int column) const {
  return static_cast<ColumnType>(sqlite3_column_type(statement_, column));
}

std::string_view Statement::name(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? std::string_view{} : name;
}

bool Statement::is_null(int column) const { return type(column) == ColumnType::null; }

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

int Statement::columns() const { return sqlite3_column_count(statement_); }

void Statement::bind_next(double value) { check(sqlite3_bind_double(statement_, next_++, value)); }

void Statement::bind_next(std::string_view text) {
  // A null pointer would bind NULL, and an empty string may have one.
  const char* data = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(statement_, next_++, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_next(std::span<const std::byte> blob) {
  if (blob.empty()) check(sqlite3_bind_zeroblob(statement_, next_++, 0));
  else check(sqlite3_bind_blob64(statement_, next_++, blob.data(), blob.size(), SQLITE_STATIC));
}

void Statement::bind_next(std::nullptr_t) { check(sqlite3_bind_null(statement_, next_++)); }

void Statement::bind_integer(std::int64_t value) { check(sqlite3_bind_int64(statement_, next_++, value)); }

void Statement::check(int code) const {
  if (code != SQLITE_OK) raise_sqlite(database_, code, query_->name);
}

}  // namespace tenure::sqlite
