#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <string>

namespace tenure::sqlite {
namespace {

ErrorCode classify_readonly(int code) {
  switch (code) {
    case SQLITE_READONLY_DBMOVED:
      return ErrorCode::database_moved;
    case SQLITE_READONLY_RECOVERY:  // whoever writes is reading the log into its index at this moment
    case SQLITE_READONLY_CANTLOCK:
      return ErrorCode::store_busy;
    default:
      return ErrorCode::disk;
  }
}

ErrorCode classify_cannot_open(int code, int system_error) {
  if (code == SQLITE_CANTOPEN_SYMLINK) return ErrorCode::access_refused;
  switch (system_error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::database_missing;
    case EMFILE:
    case ENFILE:
      return ErrorCode::handle_budget_exhausted;
    case EACCES:
    case EPERM:
    case ELOOP:
      return ErrorCode::access_refused;
    default:
      return ErrorCode::disk;
  }
}

ErrorCode classify_io_error(int code) {
  switch (code) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
      return ErrorCode::disk_sync_failed;
    case SQLITE_IOERR_NOMEM:
      return ErrorCode::out_of_memory;
    case SQLITE_IOERR_BLOCKED:
      return ErrorCode::store_busy;
    case SQLITE_IOERR_CORRUPTFS:
      return ErrorCode::database_damaged;
    default:
      return ErrorCode::disk;
  }
}

std::string_view explanation(ErrorCode code) {
  if (code == ErrorCode::store_busy)
    return "another connection kept its lock longer than the wait allows; try again";
  if (code == ErrorCode::disk) return "the disk refused it; look at free space, inodes and the kernel's log";
  if (code == ErrorCode::disk_sync_failed)
    return "what was written may not be on disk, and asking again would not tell; restart the process";
  if (code == ErrorCode::database_missing)
    return "the database file does not exist; opening never creates one";
  if (code == ErrorCode::database_moved) return "the database file was moved or replaced while it was open";
  if (code == ErrorCode::database_damaged)
    return "the database looks damaged; check it with `pragma integrity_check`, else restore a backup";
  if (code == ErrorCode::handle_budget_exhausted) return "no file descriptor was left; raise LimitNOFILE";
  if (code == ErrorCode::access_refused) return "access was refused";
  if (code == ErrorCode::interrupted) return "the statement was interrupted";
  if (code == ErrorCode::out_of_memory) return "no memory was left";
  return "the statement failed";
}

}  // namespace

ErrorCode classify(int extended_result_code, int system_error) {
  const int code = extended_result_code;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return ErrorCode::store_busy;
    case SQLITE_FULL:
      return ErrorCode::disk;
    case SQLITE_IOERR:
      return classify_io_error(code);
    case SQLITE_CANTOPEN:
      return classify_cannot_open(code, system_error);
    case SQLITE_READONLY:
      return classify_readonly(code);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::database_damaged;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::access_refused;
    case SQLITE_INTERRUPT:
      return ErrorCode::interrupted;
    case SQLITE_NOMEM:
      return ErrorCode::out_of_memory;
    case SQLITE_CONSTRAINT:
      return ErrorCode::constraint_violated;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::query_failed;
    default:
      return ErrorCode::internal;
  }
}

void raise_sqlite(sqlite3* database, int result_code, std::string_view where) {
  const int system_error = database == nullptr ? 0 : sqlite3_system_errno(database);
  ErrorCode code = classify(result_code, system_error);
  std::string_view explained = explanation(code);
  // A write through a connection that was opened for reading is no fault of the disk.
  if (result_code == SQLITE_READONLY && database != nullptr && sqlite3_db_readonly(database, "main") == 1) {
    code = ErrorCode::access_refused;
    explained = "the connection is for reading only";
  }
  const bool remembered = database != nullptr && sqlite3_extended_errcode(database) == result_code;
  std::string message =
      fmt::format("{}; SQLite: {} (code {})", explained,
                  remembered ? sqlite3_errmsg(database) : sqlite3_errstr(result_code), result_code);
  if (system_error != 0 && code != ErrorCode::internal && code != ErrorCode::query_failed)
    message += ", " + system_text(system_error);
  const char* file = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  if (file != nullptr && where != file) message += fmt::format(", in {}", file);
  raise(code, std::move(message), {}, std::string{where});
}

}  // namespace tenure::sqlite
