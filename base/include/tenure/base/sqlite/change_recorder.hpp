#pragma once

#include <tenure/base/blob.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenure::sqlite {

// A value as SQLite holds it. A text may be no UTF-8.
using Cell = std::variant<std::nullptr_t, std::int64_t, double, std::string, Bytes>;

// What became of one row.
struct ChangedRow {
  enum class Kind : std::uint8_t { inserted, updated, deleted };
  struct Column {
    std::string name;
    bool is_key = false;
    std::optional<Cell> before = std::nullopt;  // nothing: not there, or not changed
    std::optional<Cell> after = std::nullopt;   // the same
    friend bool operator==(const Column&, const Column&) = default;
  };
  std::string table;
  Kind kind = Kind::inserted;
  std::vector<Column> columns;  // of an update the key, which stands in `before`, and what has changed
  friend bool operator==(const ChangedRow&, const ChangedRow&) = default;
};

// Records what a connection changes in tables of its database, by SQLite's session extension: the net change of each row between the
// beginning and the question, however often it was written; a row whose key has changed is deleted and inserted. Of rows that others
// write as well it tells what they held when this connection first touched them, and what they hold when it is asked.
// Recorded are tables that were there at the beginning, have a primary key and no generated column, and are neither virtual nor a virtual
// one's own. In memory: the key and the former values of each row touched, up to `bytes_max`: behind that nothing more is recorded. A
// statement that writes a table without rowid may go beyond it before that is seen.
// It must go before its connection. Threads: those of the connection.
class ChangeRecorder {
 public:
  // Begins to record tables for which `is_wanted` says so, which must not throw. Takes the connection's update hook.
  ChangeRecorder(Connection& connection, std::function<bool(std::string_view table)> is_wanted,
                 std::size_t bytes_max);
  ~ChangeRecorder();
  ChangeRecorder(const ChangeRecorder&) = delete;
  ChangeRecorder& operator=(const ChangeRecorder&) = delete;

  // In no order; inside a write transaction also what it has not committed. LimitReached above so many bytes, as SQLite packs them or as
  // rows in memory, and where recording has ended at its own bound; SchemaMismatch where columns of a table with changes were altered, or
  // the table was dropped; OutOfMemory.
  [[nodiscard]] std::vector<ChangedRow> changes(std::size_t bytes_max);
  // What is held now.
  [[nodiscard]] std::size_t bytes_held() const;
  // Of the wanted tables that the database has now those that are not recorded. By name.
  [[nodiscard]] std::vector<std::string> tables_not_recorded();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
