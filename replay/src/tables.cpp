#include "tables.hpp"

#include <algorithm>
#include <array>

namespace tenure::replay {
namespace {

using sqlite::Query;

constexpr Query kTables{"tables", R"sql(
  select name, type, wr from pragma_table_list
  where schema = 'main' and type in ('table', 'virtual', 'shadow') and name <> 'sqlite_schema'
  order by name)sql"};

// ?1 table. A column that is hidden and not generated is a virtual table's own.
constexpr Query kColumns{"columns", R"sql(
  select name, pk > 0, hidden in (2, 3), hidden <> 2 from pragma_table_xinfo(?1, 'main')
  where hidden <> 1 order by cid)sql"};

bool equal_in_ascii(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string rowid_of(const std::vector<Column>& columns) {
  for (const std::string_view name : std::array<std::string_view, 3>{"rowid", "_rowid_", "oid"})
    if (std::ranges::none_of(columns,
                             [&](const Column& column) { return equal_in_ascii(column.name, name); }))
      return std::string{name};
  return {};
}

Table::Kind kind_of_table(std::string_view type) {
  if (type == "virtual") return Table::Kind::is_virtual;
  return type == "shadow" ? Table::Kind::shadow : Table::Kind::plain;
}

}  // namespace

std::vector<Table> tables_of(sqlite::Connection& connection) {
  std::vector<Table> tables;
  std::vector<bool> without_rowid;
  {
    sqlite::Statement row = connection.statement(kTables);
    while (row.step()) {
      tables.push_back({.name = std::string{row.text(0)}, .kind = kind_of_table(row.text(1))});
      without_rowid.push_back(row.integer(2) != 0);
    }
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    Table& table = tables[i];
    sqlite::Statement row = connection.statement(kColumns);
    row.bind(std::string_view{table.name});
    while (row.step())
      table.columns.push_back(
          {std::string{row.text(0)}, row.integer(1) != 0, row.integer(2) != 0, row.integer(3) != 0});
    if (!without_rowid[i]) table.rowid = rowid_of(table.columns);
  }
  return tables;
}

std::string as_identifier(std::string_view name) {
  std::string text{'"'};
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text + '"';
}

bool is_own_table(std::string_view name) {
  constexpr std::string_view kPrefix = "tenure_";
  return equal_in_ascii(name.substr(0, kPrefix.size()), kPrefix);
}

}  // namespace tenure::replay
