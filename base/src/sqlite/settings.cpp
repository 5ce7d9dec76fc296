#include "settings.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/result_code.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <span>

namespace tenure::sqlite {
namespace {

struct Switch {
  int option;
  int value;
  std::string_view name;
};

constexpr std::array kSwitches{
    Switch{SQLITE_DBCONFIG_DEFENSIVE, 1, "defensive"},
    Switch{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, "trusted_schema"},
    Switch{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, "enable_load_extension"},
    Switch{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, "enable_fts3_tokenizer"},
    Switch{SQLITE_DBCONFIG_DQS_DML, 0, "dqs_dml"},
    Switch{SQLITE_DBCONFIG_DQS_DDL, 0, "dqs_ddl"},
    // The last one to close checkpoints, alone under the exclusive file lock, so the gate is not needed
    // there.
    Switch{SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, "no_checkpoint_on_close"},
};

// Whoever makes a file decides about each row himself.
constexpr std::array kSwitchesAlone{Switch{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, "enable_trigger"}};

struct Limit {
  int id;
  int value;
};

constexpr std::array kLimits{
    Limit{SQLITE_LIMIT_LENGTH, 64 << 20},     // bytes of a row
    Limit{SQLITE_LIMIT_SQL_LENGTH, 1 << 20},  // bytes
    Limit{SQLITE_LIMIT_EXPR_DEPTH, 200},
    Limit{SQLITE_LIMIT_COMPOUND_SELECT, 100},
    Limit{SQLITE_LIMIT_VARIABLE_NUMBER, 1000},
    Limit{SQLITE_LIMIT_TRIGGER_DEPTH, 32},
    // No statement reaches another file. VACUUM INTO counts as an attachment: backups use a connection of
    // their own.
    Limit{SQLITE_LIMIT_ATTACHED, 0},
};

// VACUUM INTO attaches what it writes.
constexpr std::array kLimitsAlone{Limit{SQLITE_LIMIT_ATTACHED, 1}};

void require(bool holds, std::string_view setting, std::string_view found, std::string_view path) {
  if (holds) return;
  raise(ErrorCode::internal,
        fmt::format(
            "the connection did not get its setting {} (found {}); this SQLite library was built without it",
            setting, found.empty() ? "nothing" : found),
        {}, std::string{path});
}

void apply_pragma(sqlite3* database, std::string_view name, std::string_view value, std::string_view path) {
  (void)read_pragma(database, fmt::format("pragma {}={}", name, value), path);
  const std::string found = read_pragma(database, fmt::format("pragma {}", name), path);
  require(found == value, name, found, path);
}

void apply_switches(sqlite3* database, std::span<const Switch> switches, std::string_view path) {
  for (const Switch& item : switches) {
    int found = -1;
    const int code = sqlite3_db_config(database, item.option, item.value, &found);
    require(code == SQLITE_OK && found == item.value, item.name, std::to_string(found), path);
  }
}

void apply_limits(sqlite3* database, std::span<const Limit> limits, std::string_view path) {
  for (const Limit& limit : limits) {
    sqlite3_limit(database, limit.id, limit.value);
    const int found = sqlite3_limit(database, limit.id, -1);
    require(found == limit.value, fmt::format("limit {}", limit.id), std::to_string(found), path);
  }
}

}  // namespace

void raise_of_file(sqlite3* database, int result_code, std::string_view path) {
  if (result_code != SQLITE_ERROR) raise_sqlite(database, result_code, path);
  raise(ErrorCode::database_damaged,
        fmt::format("the file is of a form that SQLite does not know; SQLite: {} (code {})",
                    sqlite3_errmsg(database), result_code),
        {}, std::string{path});
}

int switch_journal(sqlite3* database, Access access) {
  if (only_reads(access)) return SQLITE_OK;
  // The exclusive lock keeps the index of a log that the header asks for in memory, so that nothing is made beside the file.
  const char* const sql = access == Access::alone
                              ? "pragma locking_mode=exclusive; pragma journal_mode=memory"
                              : "pragma journal_mode=wal";
  return sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
}

std::string read_pragma(sqlite3* database, const std::string& pragma, std::string_view path) {
  std::string value;
  const int code = sqlite3_exec(
      database, pragma.c_str(),
      [](void* result, int columns, char** row, char**) {
        if (columns > 0 && row[0] != nullptr) *static_cast<std::string*>(result) = row[0];
        return SQLITE_OK;
      },
      &value, nullptr);
  if (code != SQLITE_OK) raise_of_file(database, code, path);
  return value;
}

void apply_settings(sqlite3* database, const ConnectionOptions& options, std::string_view path) {
  const bool alone = options.access == Access::alone;
  apply_switches(database, kSwitches, path);
  apply_limits(database, kLimits, path);
  if (alone) {
    apply_switches(database, kSwitchesAlone, path);
    apply_limits(database, kLimitsAlone, path);
    apply_pragma(database, "temp_store", "2", path);  // no part of the file goes into a folder for all
  }
  const std::string mode = read_pragma(database, "pragma journal_mode", path);
  const std::string_view wanted = alone ? "memory" : "wal";
  require(mode == wanted || only_looks(options.access), fmt::format("journal_mode={}", wanted), mode, path);
  // NORMAL: a durable commit syncs the WAL itself, outside the lock.
  apply_pragma(database, "synchronous", alone ? "0" : "1", path);
  apply_pragma(database, "wal_autocheckpoint", "0", path);  // every checkpoint is gated
  apply_pragma(database, "journal_size_limit", std::to_string(options.journal_size_limit_bytes), path);
  apply_pragma(database, "foreign_keys", alone ? "0" : "1", path);
  apply_pragma(database, "cell_size_check", "1", path);
  apply_pragma(database, "mmap_size", "0", path);
  apply_pragma(database, "secure_delete", options.secure_delete ? "1" : "0", path);
}

}  // namespace tenure::sqlite
