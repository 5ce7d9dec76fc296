#include <tenure/base/sqlite/result_code.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cerrno>

namespace tenure::sqlite {
namespace {

struct Case {
  int code;
  int system_error;
  ErrorCode expected;
};

constexpr Case kCases[] = {
    {SQLITE_BUSY, 0, ErrorCode::store_busy},
    {SQLITE_BUSY_RECOVERY, 0, ErrorCode::store_busy},
    {SQLITE_BUSY_TIMEOUT, 0, ErrorCode::store_busy},
    {SQLITE_LOCKED, 0, ErrorCode::store_busy},
    {SQLITE_PROTOCOL, 0, ErrorCode::store_busy},
    {SQLITE_FULL, ENOSPC, ErrorCode::disk},
    {SQLITE_IOERR, EIO, ErrorCode::disk},
    {SQLITE_IOERR_READ, EIO, ErrorCode::disk},
    {SQLITE_IOERR_SHMSIZE, ENOSPC, ErrorCode::disk},
    {SQLITE_IOERR_NOMEM, 0, ErrorCode::out_of_memory},
    {SQLITE_IOERR_FSYNC, EIO, ErrorCode::disk_sync_failed},
    {SQLITE_IOERR_DIR_FSYNC, EIO, ErrorCode::disk_sync_failed},
    {SQLITE_READONLY, EROFS, ErrorCode::disk},
    {SQLITE_READONLY_DBMOVED, 0, ErrorCode::database_moved},
    {SQLITE_CORRUPT, 0, ErrorCode::database_damaged},
    {SQLITE_CORRUPT_INDEX, 0, ErrorCode::database_damaged},
    {SQLITE_NOTADB, 0, ErrorCode::database_damaged},
    {SQLITE_CANTOPEN, ENOENT, ErrorCode::database_missing},
    {SQLITE_CANTOPEN, ENOTDIR, ErrorCode::database_missing},
    {SQLITE_CANTOPEN, EMFILE, ErrorCode::handle_budget_exhausted},
    {SQLITE_CANTOPEN, ENFILE, ErrorCode::handle_budget_exhausted},
    {SQLITE_CANTOPEN, EACCES, ErrorCode::access_refused},
    {SQLITE_CANTOPEN, ENOSPC, ErrorCode::disk},
    {SQLITE_CANTOPEN_SYMLINK, 0, ErrorCode::access_refused},
    {SQLITE_AUTH, 0, ErrorCode::access_refused},
    {SQLITE_INTERRUPT, 0, ErrorCode::interrupted},
    {SQLITE_NOMEM, 0, ErrorCode::out_of_memory},
    {SQLITE_CONSTRAINT_UNIQUE, 0, ErrorCode::constraint_violated},
    {SQLITE_TOOBIG, 0, ErrorCode::query_failed},
    {SQLITE_MISMATCH, 0, ErrorCode::query_failed},
    {SQLITE_RANGE, 0, ErrorCode::internal},
    {SQLITE_MISUSE, 0, ErrorCode::internal},
    {SQLITE_ERROR, 0, ErrorCode::query_failed},
    {250, 0, ErrorCode::internal},
};

TEST(ResultCode, EachCodeHasItsClass) {
  for (const Case& item : kCases)
    EXPECT_EQ(classify(item.code, item.system_error), item.expected)
        << sqlite3_errstr(item.code) << ' ' << item.code << ' ' << item.system_error;
}

TEST(ResultCode, TheErrorNamesTheQueryAndWhatToDo) {
  try {
    raise_sqlite(nullptr, SQLITE_FULL, "insert_job");
    FAIL();
  } catch (const DiskError& error) {
    EXPECT_EQ(error.failure().where, "insert_job");
    EXPECT_NE(error.failure().message.find("free space"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tenure::sqlite
