#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/text.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace tenure::sqlite {
namespace {

constexpr std::size_t kSqlMax = 1'000'000;  // bytes, SQLite's own default
constexpr std::size_t kShownMax = 80;       // bytes of a text that errors show as their place

sqlite3_stmt* prepare(sqlite3* database, std::string_view sql, const std::string& shown,
                      std::string_view* rest) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, &tail);
  if (code != SQLITE_OK) raise_sqlite(database, code, shown);
  *rest = sql.substr(static_cast<std::size_t>(tail - sql.data()));
  return statement;
}

// True for white space, semicolons and comments: what SQLite prepares to nothing.
bool is_nothing(sqlite3* database, std::string_view sql) {
  while (!sql.empty()) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int code =
        sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, &tail);
    const bool nothing = code == SQLITE_OK && statement == nullptr;
    sqlite3_finalize(statement);
    if (!nothing) return false;
    sql.remove_prefix(static_cast<std::size_t>(tail - sql.data()));
  }
  return true;
}

}  // namespace

struct TextStatementCache::Entry {
  Entry(sqlite3* owner, std::string_view text)
      : database(owner), sql(text), shown(escaped(text, kShownMax)), query{shown, sql} {
    if (sql.size() > kSqlMax)
      raise(ErrorCode::bad_options, "an SQL text may have at most " + std::to_string(kSqlMax) + " bytes", {},
            shown);
    if (sql.find('\0') != std::string::npos)
      raise(ErrorCode::bad_options, "SQL must not contain NUL", {}, shown);
    std::string_view rest;
    statement = prepare(database, sql, shown, &rest);
    if (statement != nullptr && is_nothing(database, rest)) return;
    const bool none = statement == nullptr;
    sqlite3_finalize(statement);
    raise(ErrorCode::bad_options, none ? "there is no statement" : "only one statement a call is run", {},
          shown);
  }
  ~Entry() { sqlite3_finalize(statement); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  sqlite3* database;
  std::string sql;
  std::string shown;
  Query query;
  sqlite3_stmt* statement = nullptr;
  bool in_use = false;
  std::uint64_t last_use = 0;
};

struct TextStatementCache::Impl {
  sqlite3* database;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
  std::uint64_t uses = 0;

  void make_room() {
    if (entries.size() < kStatementsMax) return;
    const auto oldest =
        std::ranges::min_element(entries, {}, [](const auto& entry) { return entry.second->last_use; });
    entries.erase(oldest);  // one that is in use lives on in its lease
  }
};

TextStatementCache::Lease::Lease(std::shared_ptr<Entry> entry)
    : entry_(std::move(entry)),
      statement_(entry_->database, entry_->statement, entry_->query, &entry_->in_use) {}

TextStatementCache::Lease::~Lease() = default;

int TextStatementCache::Lease::parameters() const { return sqlite3_bind_parameter_count(entry_->statement); }

bool TextStatementCache::Lease::read_only() const { return sqlite3_stmt_readonly(entry_->statement) != 0; }

TextStatementCache::TextStatementCache(Connection& connection)
    : impl_(std::make_unique<Impl>(Impl{.database = connection.native(), .entries = {}})) {}

TextStatementCache::~TextStatementCache() = default;

std::unique_ptr<TextStatementCache::Lease> TextStatementCache::statement_for(std::string_view sql) {
  const std::string key{sql};
  const auto found = impl_->entries.find(key);
  std::shared_ptr<Entry> entry;
  if (found != impl_->entries.end() && !found->second->in_use) {
    entry = found->second;
  } else {
    entry = std::make_shared<Entry>(impl_->database, sql);
    if (found == impl_->entries.end()) {
      impl_->make_room();
      impl_->entries.emplace(key, entry);
    }
  }
  entry->last_use = ++impl_->uses;
  return std::make_unique<Lease>(std::move(entry));
}

void TextStatementCache::clear() {
  std::erase_if(impl_->entries, [](const auto& entry) { return !entry.second->in_use; });
}

}  // namespace tenure::sqlite
