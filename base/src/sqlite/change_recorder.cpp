#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/change_recorder.hpp>
#include <tenure/base/sqlite/result_code.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <new>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

// Declared only where these are said, as the library was built with them.
#if !defined(SQLITE_ENABLE_SESSION) || !defined(SQLITE_ENABLE_PREUPDATE_HOOK)
#error "SQLITE_ENABLE_SESSION and SQLITE_ENABLE_PREUPDATE_HOOK are definitions of this target"
#endif

namespace tenure::sqlite {
namespace {

// Sessions count columns without the generated ones where they look at a table, and with them where a row changes, and then say that the
// schema has changed (3.40.1).
constexpr Query kRecordableTables{"recordable_tables", R"sql(
  select listed.name from pragma_table_list as listed
  where listed.schema = 'main' and listed.type = 'table' and listed.name not like 'sqlite\_%' escape '\'
    and exists (select 1 from pragma_table_xinfo(listed.name, 'main') where pk > 0)
    and not exists (select 1 from pragma_table_xinfo(listed.name, 'main') where hidden in (2, 3)))sql"};

constexpr Query kAllTables{"all_tables", R"sql(
  select name from pragma_table_list
  where schema = 'main' and type in ('table', 'virtual', 'shadow') and name not like 'sqlite\_%' escape '\'
  order by name)sql"};

// ?1 table.
constexpr Query kColumnsOfTable{"columns_of_table",
                                "select name from pragma_table_info(?1, 'main') order by cid"};

std::vector<std::string> texts_of(Statement& statement) {
  std::vector<std::string> texts;
  while (statement.step()) texts.emplace_back(statement.text(0));
  return texts;
}

Cell cell_of(sqlite3_value* value) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_value_bytes(value)); };
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return sqlite3_value_int64(value);
    case SQLITE_FLOAT:
      return sqlite3_value_double(value);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::byte*>(sqlite3_value_blob(value));
      const std::span<const std::byte> span{bytes, size()};
      return Bytes{{span.begin(), span.end()}};
    }
    default:
      return nullptr;
  }
}

ChangedRow::Kind kind_of(int operation) {
  if (operation == SQLITE_INSERT) return ChangedRow::Kind::inserted;
  if (operation == SQLITE_DELETE) return ChangedRow::Kind::deleted;
  return ChangedRow::Kind::updated;
}

[[noreturn]] void refuse_bytes(std::size_t bytes_max) {
  raise(ErrorCode::limit_reached,
        fmt::format("the recorded changes of rows are more than the {} bytes that are kept", bytes_max));
}

// Takes what a session packs, piece by piece, for SQLite, which knows no exceptions.
struct Packed {
  static int add(void* packed, const void* piece, int size) noexcept {
    Packed& self = *static_cast<Packed*>(packed);
    const std::span<const char> added{static_cast<const char*>(piece), static_cast<std::size_t>(size)};
    self.is_full = added.size() > self.bytes_max - self.bytes.size();
    if (self.is_full) return SQLITE_FULL;
    try {
      self.bytes.insert(self.bytes.end(), added.begin(), added.end());
      return SQLITE_OK;
    } catch (const std::bad_alloc&) {
      return SQLITE_NOMEM;
    }
  }

  std::size_t bytes_max = 0;
  std::vector<char> bytes = {};
  bool is_full = false;
};

std::size_t bytes_of_cell(const std::optional<Cell>& cell) {
  if (!cell) return 0;
  if (const auto* text = std::get_if<std::string>(&*cell)) return text->size();
  if (const auto* bytes = std::get_if<Bytes>(&*cell)) return bytes->value.size();
  return 0;
}

std::size_t bytes_of_row(const ChangedRow& row) {
  std::size_t bytes = sizeof row + row.table.size();
  for (const ChangedRow::Column& column : row.columns)
    bytes += sizeof column + column.name.size() + bytes_of_cell(column.before) + bytes_of_cell(column.after);
  return bytes;
}

}  // namespace

struct ChangeRecorder::Impl {
  Impl(Connection& to_record, std::function<bool(std::string_view)> wanted, std::size_t most)
      : connection(to_record), is_wanted(std::move(wanted)), held_max(most) {
    Statement tables = connection.statement(kRecordableTables);
    for (std::string& table : texts_of(tables))
      if (is_wanted(table)) recorded.insert(std::move(table));
    check(sqlite3session_create(connection.native(), "main", &session));
    sqlite3session_table_filter(
        session,
        [](void* impl, const char* table) {
          return static_cast<Impl*>(impl)->recorded.contains(table) ? 1 : 0;
        },
        this);
    if (const int code = sqlite3session_attach(session, nullptr); code != SQLITE_OK) {
      sqlite3session_delete(session);
      check(code);
    }
    sqlite3_update_hook(
        connection.native(),
        [](void* impl, int, const char*, const char*, sqlite3_int64) {
          static_cast<Impl*>(impl)->end_where_full();
        },
        this);
  }
  ~Impl() {
    sqlite3_update_hook(connection.native(), nullptr, nullptr);
    sqlite3session_delete(session);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void check(int code) const {
    if (code == SQLITE_OK) return;
    if (code == SQLITE_SCHEMA)
      raise(ErrorCode::schema_mismatch,
            "a table whose changes were recorded was altered or dropped meanwhile, and they cannot be told",
            {}, connection.path().string());
    raise_sqlite(connection.native(), code, "recorded changes");
  }

  [[nodiscard]] std::size_t held() const {
    return static_cast<std::size_t>(sqlite3session_memory_used(session));
  }
  // A session lets go of nothing before it ends.
  void end_where_full() noexcept {
    if (is_full || held() <= held_max) return;
    is_full = true;
    sqlite3session_enable(session, 0);
  }

  const std::vector<std::string>& columns_of(const std::string& table) {
    auto found = columns.find(table);
    if (found == columns.end()) {
      Statement names = connection.statement(kColumnsOfTable);
      names.bind(std::string_view{table});
      found = columns.emplace(table, texts_of(names)).first;
    }
    return found->second;
  }

  ChangedRow row_at(sqlite3_changeset_iter* at) {
    const char* table = nullptr;
    int count = 0;
    int operation = 0;
    check(sqlite3changeset_op(at, &table, &count, &operation, nullptr));
    unsigned char* keys = nullptr;
    check(sqlite3changeset_pk(at, &keys, nullptr));
    ChangedRow row{.table = table, .kind = kind_of(operation), .columns = {}};
    const std::vector<std::string>& names = columns_of(row.table);
    if (names.size() != static_cast<std::size_t>(count)) check(SQLITE_SCHEMA);
    for (int i = 0; i < count; ++i) {
      sqlite3_value* before = nullptr;
      sqlite3_value* after = nullptr;
      if (operation != SQLITE_INSERT) check(sqlite3changeset_old(at, i, &before));
      if (operation != SQLITE_DELETE) check(sqlite3changeset_new(at, i, &after));
      if (before == nullptr && after == nullptr) continue;
      ChangedRow::Column column{.name = names[static_cast<std::size_t>(i)], .is_key = keys[i] != 0};
      if (before != nullptr) column.before = cell_of(before);
      if (after != nullptr) column.after = cell_of(after);
      row.columns.push_back(std::move(column));
    }
    return row;
  }

  Connection& connection;
  std::function<bool(std::string_view)> is_wanted;
  std::set<std::string, std::less<>> recorded;
  std::map<std::string, std::vector<std::string>, std::less<>> columns;
  const std::size_t held_max;
  bool is_full = false;
  sqlite3_session* session = nullptr;
};

ChangeRecorder::ChangeRecorder(Connection& connection, std::function<bool(std::string_view)> is_wanted,
                               std::size_t bytes_max)
    : impl_(std::make_unique<Impl>(connection, std::move(is_wanted), bytes_max)) {}

ChangeRecorder::~ChangeRecorder() = default;

std::size_t ChangeRecorder::bytes_held() const { return impl_->held(); }

std::vector<ChangedRow> ChangeRecorder::changes(std::size_t bytes_max) {
  struct Iterator {
    sqlite3_changeset_iter* at = nullptr;
    Iterator() = default;
    ~Iterator() { sqlite3changeset_finalize(at); }
    Iterator(const Iterator&) = delete;
    Iterator& operator=(const Iterator&) = delete;
  } changeset;
  impl_->end_where_full();
  if (impl_->is_full) refuse_bytes(impl_->held_max);
  impl_->columns.clear();
  Packed packed{.bytes_max = bytes_max};
  const int packing = sqlite3session_changeset_strm(impl_->session, Packed::add, &packed);
  if (packed.is_full) refuse_bytes(bytes_max);
  impl_->check(packing);
  impl_->check(
      sqlite3changeset_start(&changeset.at, static_cast<int>(packed.bytes.size()), packed.bytes.data()));
  std::vector<ChangedRow> rows;
  std::size_t bytes = 0;
  int code = sqlite3changeset_next(changeset.at);
  for (; code == SQLITE_ROW; code = sqlite3changeset_next(changeset.at)) {
    rows.push_back(impl_->row_at(changeset.at));
    bytes += bytes_of_row(rows.back());
    if (bytes > bytes_max) refuse_bytes(bytes_max);
  }
  if (code != SQLITE_DONE) impl_->check(code);
  return rows;
}

std::vector<std::string> ChangeRecorder::tables_not_recorded() {
  Statement tables = impl_->connection.statement(kAllTables);
  std::vector<std::string> names = texts_of(tables);
  std::erase_if(names, [&](const std::string& name) {
    return !impl_->is_wanted(name) || impl_->recorded.contains(name);
  });
  return names;
}

}  // namespace tenure::sqlite
