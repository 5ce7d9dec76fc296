#include "own_schema.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tenure_tenancy_schema.hpp>
#include <vector>

namespace tenure::detail {
namespace {

using sqlite::Query;

constexpr std::string_view kStampTable = "tenure_stamp";
constexpr std::string_view kStepsTable =
    "tenure_migration";  // there once a migration of the application's was applied

constexpr std::string_view kCopyTable = "tenure_copy";  // in a copy

// Whatever has a name like ours, and whatever lies on what has. A scan of the schema, which SQLite has read anyway.
constexpr Query kOwnEntries{"own_schema_entries", R"sql(
  select type, name, tbl_name, sql from main.sqlite_schema
  where name like 'tenure\_%' escape '\' or tbl_name like 'tenure\_%' escape '\')sql"};

// Of a stamp whose columns are not known: those of another version.
constexpr Query kAnyStamp{"any_stamp", "select * from main.tenure_stamp limit 1"};

struct Entry {
  std::string type;
  std::string name;
  std::string table;
  std::string sql;  // canonical
  bool has_sql = false;
};

struct OwnTable {
  std::string name;
  std::string sql;  // canonical
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

// Without comments, with single blanks, in lower case: a file keeps the text of the release that made it, whose comments and lines
// may be others. Of ours no text has a quote, so that nothing hides behind one.
std::string canonical(std::string_view sql) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string result;
  while (!sql.empty()) {
    if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (kBlanks.find(sql.front()) != std::string_view::npos) {
      if (!result.empty() && result.back() != ' ') result += ' ';
      sql.remove_prefix(1);
    } else {
      result += lower(sql.front());
      sql.remove_prefix(1);
    }
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

OwnTable table_of(std::string_view statement) {
  constexpr std::string_view kCreate = "create table ";
  std::string sql = canonical(statement);
  TENURE_INVARIANT(sql.starts_with(kCreate));
  std::string name = sql.substr(kCreate.size());
  name.resize(std::min(name.find_first_of(" ("), name.size()));
  return {std::move(name), std::move(sql)};
}

const std::vector<OwnTable>& own_tables() {
  static const std::vector<OwnTable> tables = [] {
    std::vector<OwnTable> made;
    for (const std::string& statement : split(canonical(tenancy_schema::k0001_tenant_sql), ';'))
      if (!canonical(statement).empty()) made.push_back(table_of(statement));
    made.push_back(table_of(sqlite::migration_table_sql()));
    made.push_back(table_of(split(canonical(tenancy_schema::k0002_copy_sql), ';').front()));
    return made;
  }();
  return tables;
}

std::vector<Entry> own_entries(sqlite::Connection& connection) {
  std::vector<Entry> entries;
  sqlite::Statement rows = connection.statement(kOwnEntries);
  while (rows.step())
    entries.push_back({.type = lowered(rows.text(0)),
                       .name = lowered(rows.text(1)),
                       .table = lowered(rows.text(2)),
                       .sql = canonical(rows.text(3)),
                       .has_sql = !rows.is_null(3)});
  return entries;
}

const Entry* find(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

// An index without a text is the one of a key in a table's own text.
bool is_ours(const Entry& entry) {
  if (entry.type == "index" && !entry.has_sql) return true;
  if (entry.type != "table") return false;
  return std::ranges::any_of(
      own_tables(), [&](const OwnTable& own) { return own.name == entry.name && own.sql == entry.sql; });
}

// In words, the first thing that is not as Tenure makes it.
std::optional<std::string> first_difference(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (is_ours(entry)) continue;
    const std::string what = fmt::format("the {} {}", escaped(entry.type), escaped(entry.name));
    return entry.name == entry.table ? what : fmt::format("{} on {}", what, escaped(entry.table));
  }
  for (const OwnTable& own : own_tables())
    if (own.name != kStepsTable && own.name != kCopyTable && find(entries, own.name) == nullptr)
      return fmt::format("the lack of the table {}", own.name);
  return std::nullopt;
}

// Read only where the stamp is a plain table: whatever else stands in its place is computed by whoever made the file.
void refuse_newer(sqlite::Connection& connection, const Entry& stamp) {
  if (stamp.type != "table" || !stamp.sql.starts_with("create table ")) return;
  sqlite::Statement row = connection.statement(kAnyStamp);
  if (!row.step()) return;
  for (int column = 0; column < row.columns(); ++column)
    if (row.name(column) == "schema") require_known_tenant_schema(connection, row.integer(column));
}

}  // namespace

bool has_own_schema(sqlite::Connection& connection) {
  const std::vector<Entry> entries = own_entries(connection);
  const Entry* stamp = find(entries, kStampTable);
  if (stamp == nullptr) return false;
  const std::optional<std::string> difference = first_difference(entries);
  if (!difference) return true;
  refuse_newer(connection, *stamp);
  raise(ErrorCode::database_damaged,
        fmt::format("Tenure's own tables in this file are not as Tenure makes them, because of {}; whoever "
                    "put that there can take it away again, or a copy of the file be restored",
                    *difference),
        {}, connection.path().string());
}

std::optional<std::string> difference_in_own_schema(sqlite::Connection& connection) {
  return first_difference(own_entries(connection));
}

}  // namespace tenure::detail
