#pragma once

#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/query.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tenure::sqlite {

// The numbers are SQLite's.
enum class ColumnType : std::uint8_t { integer = 1, real = 2, text = 3, blob = 4, null = 5 };

// One use of a prepared statement, leased from its connection's cache: bind left to right, step, read columns. The
// destructor resets it, so a loop that is left early holds no read transaction open.
// Bound text and blobs must live until the statement is done. Columns live until the next step.
// Threads: those of its connection, one at a time.
class Statement {
 public:
  // `in_use` is the cache's mark, true for the life of the statement.
  Statement(sqlite3* database, sqlite3_stmt* statement, const Query& query, bool* in_use = nullptr);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  template <class... Values>
  Statement& bind(const Values&... values) {
    (bind_next(values), ...);
    return *this;
  }

  // True with a row, false at the end. Throws what result_code.hpp says of SQLite's code.
  bool step();
  // For statements without rows.
  void run();
  // For a row that must be there: throws Internal otherwise.
  Statement& row();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::span<const std::byte> blob(int column) const;
  // As it was stored, before any conversion: ask for it first.
  [[nodiscard]] ColumnType type(int column) const;
  [[nodiscard]] std::string_view name(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] int columns() const;

 private:
  template <std::integral Integer>
  void bind_next(Integer value) {
    bind_integer(static_cast<std::int64_t>(value));
  }
  void bind_next(double value);
  void bind_next(std::string_view text);
  void bind_next(const char* text) { bind_next(std::string_view{text}); }
  void bind_next(std::span<const std::byte> blob);
  void bind_next(std::nullptr_t);
  template <class T>
  void bind_next(const std::optional<T>& value) {
    if (value) bind_next(*value);
    else bind_next(nullptr);
  }
  void bind_integer(std::int64_t value);
  void check(int code) const;

  sqlite3* database_;
  sqlite3_stmt* statement_;
  const Query* query_;
  bool* in_use_;
  int next_ = 1;
  ProcessBound process_;
};

}  // namespace tenure::sqlite
