#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

// A database as SQL, so that one can be kept in the tree: schema, rows with their numbers, and the fields of its header. Restored it is the same
// to whoever reads it, though not byte for byte.
namespace tenure::testing {

class PlainDatabase {
 public:
  explicit PlainDatabase(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK)
      throw std::runtime_error("cannot open " + file.string());
  }
  ~PlainDatabase() { sqlite3_close(database_); }
  PlainDatabase(const PlainDatabase&) = delete;
  PlainDatabase& operator=(const PlainDatabase&) = delete;

  // The first column of each row.
  std::vector<std::string> ask(const std::string& sql) {
    std::vector<std::string> rows;
    const auto take = [](void* result, int, char** row, char**) {
      static_cast<std::vector<std::string>*>(result)->emplace_back(row[0] == nullptr ? "" : row[0]);
      return 0;
    };
    if (sqlite3_exec(database_, sql.c_str(), take, &rows, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(database_));
    return rows;
  }

 private:
  sqlite3* database_ = nullptr;
};

namespace detail {
inline std::string identifier(const std::string& name) { return '"' + name + '"'; }

inline std::string rows_as_inserts(const std::string& table, bool has_row_numbers,
                                   const std::vector<std::string>& columns) {
  std::string names = has_row_numbers ? "rowid" : "";
  std::string values = has_row_numbers ? "rowid" : "";
  for (const std::string& column : columns) {
    names += (names.empty() ? "" : ", ") + identifier(column);
    values += (values.empty() ? "" : " || ', ' || ") + ("quote(" + identifier(column) + ")");
  }
  return "select 'insert into " + identifier(table) + " (" + names + ") values (' || " + values +
         " || ');' from " + identifier(table);
}
}  // namespace detail

inline std::string database_as_text(const std::filesystem::path& file) {
  PlainDatabase database(file);
  std::string text;
  for (const char* field : {"user_version", "application_id"})
    text +=
        std::string("pragma ") + field + " = " + database.ask(std::string("pragma ") + field).front() + ";\n";
  for (const std::string& sql : database.ask(
           "select sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\' "
           "order by rowid"))
    text += sql + ";\n";
  const std::string tables =
      "from pragma_table_list where schema = 'main' and type = 'table' and name <> 'sqlite_schema'";
  for (const std::string& table : database.ask("select name " + tables + " order by name")) {
    if (table == "sqlite_sequence") text += "delete from sqlite_sequence;\n";
    const bool has_row_numbers =
        database.ask("select wr " + tables + " and name = '" + table + "'").front() == "0";
    const auto columns = database.ask("select name from pragma_table_info('" + table + "')");
    for (const std::string& insert : database.ask(detail::rows_as_inserts(table, has_row_numbers, columns)))
      text += insert + "\n";
  }
  return text;
}

inline void make_database_of_text(const std::filesystem::path& file, const std::string& text) {
  PlainDatabase database(file);
  static_cast<void>(database.ask("begin;" + text + "commit;"));
}

}  // namespace tenure::testing
