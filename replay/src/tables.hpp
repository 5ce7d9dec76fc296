#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The tables of a database and their columns, for what is done to all of them. Internal.
namespace tenure::replay {

struct Column {
  std::string name;
  bool is_key = false;
  bool is_generated = false;
  bool is_stored = true;  // false: SQLite computes it each time that it is read
};

struct Table {
  enum class Kind : std::uint8_t { plain, is_virtual, shadow };
  std::string name;
  Kind kind = Kind::plain;
  std::string rowid = {};  // one of its names that no column has; empty: there is none
  std::vector<Column> columns = {};
};

// Of the main database, by name, without SQLite's schema table.
[[nodiscard]] std::vector<Table> tables_of(sqlite::Connection& connection);

// As SQL writes it, whatever it holds.
[[nodiscard]] std::string as_identifier(std::string_view name);

[[nodiscard]] bool is_own_table(std::string_view name);

}  // namespace tenure::replay
