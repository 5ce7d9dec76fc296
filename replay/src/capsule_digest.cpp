#include "capsule_digest.hpp"

#include "tables.hpp"

#include <tenure/base/bytes.hpp>
#include <tenure/base/sha256.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>

namespace tenure::replay {
namespace {

using sqlite::Query;

constexpr Query kSchemaRows{"schema_rows",
                            "select type, name, tbl_name, sql from main.sqlite_schema order by rowid"};
// Whatever else is wrong with a tenant's rows (a check that was added later) was found when the capsule was written, too.
constexpr Query kIntegrity{"integrity", "pragma integrity_check"};
constexpr std::array kHeaderFields{Query{"user_version", "pragma user_version"},
                                   Query{"encoding", "pragma encoding"},
                                   Query{"application_id", "pragma application_id"}};
constexpr std::string_view kDigestTable = "tenure_capsule_digest";

constexpr std::size_t kBytesBetweenLooks = 1UL << 20U;

class Digest {
 public:
  explicit Digest(FunctionRef<void()> look) : look_(look) {}
  void add_rows(const sqlite::Statement& row) {
    put(bytes_, 'R');
    put(bytes_, row.columns());
    for (int column = 0; column < row.columns(); ++column) add_cell(row, column);
    flush();
  }
  void add_name(std::string_view name) {
    put(bytes_, 'T');
    put_text<std::uint64_t>(bytes_, name);
    flush();
  }
  [[nodiscard]] std::string text() { return hex_text(sum_.digest()); }

 private:
  void add_cell(const sqlite::Statement& row, int column) {
    const sqlite::ColumnType type = row.type(column);
    put(bytes_, type);
    switch (type) {
      case sqlite::ColumnType::integer:
        put(bytes_, row.integer(column));
        return;
      case sqlite::ColumnType::real:
        put(bytes_, std::bit_cast<std::uint64_t>(row.real(column)));
        return;
      case sqlite::ColumnType::text:
        add_bytes(row.text(column));
        return;
      case sqlite::ColumnType::blob:
        add_bytes(as_text(row.blob(column)));
        return;
      case sqlite::ColumnType::null:
        return;
    }
  }
  // As put_text has it, without a copy.
  void add_bytes(std::string_view bytes) {
    put(bytes_, static_cast<std::uint64_t>(bytes.size()));
    flush();
    sum_.add(bytes);
    bytes_since_look_ += bytes.size();
  }
  void flush() {
    sum_.add(bytes_);
    bytes_since_look_ += bytes_.size();
    bytes_.clear();
    if (bytes_since_look_ < kBytesBetweenLooks) return;
    bytes_since_look_ = 0;
    look_();
  }

  Sha256 sum_;
  std::string bytes_;  // of the row at hand, since the last text
  FunctionRef<void()> look_;
  std::size_t bytes_since_look_ = 0;
};

void add_all(Digest& digest, sqlite::Statement& row) {
  while (row.step()) digest.add_rows(row);
}

// What is computed from the rest tells nothing more, and may be as large as whoever made the file likes.
std::string rows_of(const Table& table) {
  std::string columns = table.rowid;
  for (const Column& column : table.columns)
    if (column.is_stored) columns += (columns.empty() ? "" : ", ") + as_identifier(column.name);
  return fmt::format("select {} from main.{} not indexed", columns, as_identifier(table.name));
}

}  // namespace

std::string digest_of(sqlite::Connection& connection, FunctionRef<void()> look) {
  Digest digest(look);
  for (const Query& field : kHeaderFields) {
    sqlite::Statement row = connection.statement(field);
    add_all(digest, row);
  }
  for (const Query* query : {&kSchemaRows, &kIntegrity}) {
    sqlite::Statement row = connection.statement(*query);
    digest.add_name(query->name);
    add_all(digest, row);
  }
  sqlite::TextStatementCache statements(connection);
  for (const Table& table : tables_of(connection)) {
    if (table.kind == Table::Kind::is_virtual || table.name == kDigestTable) continue;
    digest.add_name(table.name);
    const auto row = statements.statement_for(rows_of(table));
    add_all(digest, row->statement());
  }
  return digest.text();
}

}  // namespace tenure::replay
