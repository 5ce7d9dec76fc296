#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <string>
#include <string_view>

// What every connection of ours has, each read back: a library that was built otherwise ignores some without
// a word.
namespace tenure::sqlite {

[[nodiscard]] constexpr bool only_looks(Access access) {
  return access == Access::look || access == Access::look_at_file;
}

[[nodiscard]] constexpr bool only_reads(Access access) {
  return access == Access::read_only || only_looks(access);
}

// To WAL, and where the file is nobody else's to memory. Returns SQLite's code; SQLITE_BUSY may go away by waiting. A connection for
// reading changes nothing: apply_settings refuses it where the file is not in WAL mode.
[[nodiscard]] int switch_journal(sqlite3* database, Access access);

// Raises Internal with the setting's name where one does not hold, and typed errors where the file cannot be
// read.
void apply_settings(sqlite3* database, const ConnectionOptions& options, std::string_view path);

// The first column of the pragma's first row; empty where there is none.
[[nodiscard]] std::string read_pragma(sqlite3* database, const std::string& pragma, std::string_view path);

// What raise_sqlite says; a plain error of SQLite's is DatabaseDamaged. It is for statements of ours on a file that is being opened: they
// are right, so what SQLite finds fault with is the file ("unsupported file format").
[[noreturn]] void raise_of_file(sqlite3* database, int result_code, std::string_view path);

}  // namespace tenure::sqlite
