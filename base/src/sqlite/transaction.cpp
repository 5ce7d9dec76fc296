#include "log_label.hpp"

#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <sqlite3.h>

namespace tenure::sqlite {
namespace {

constexpr Query kBeginImmediate{"begin_immediate", "begin immediate"};
constexpr Query kBeginDeferred{"begin_deferred", "begin deferred"};
constexpr Query kCommit{"commit", "commit"};

// SQLite itself rolls back after some errors of the disk; then nothing is left to do.
void roll_back(const Connection& connection) {
  if (connection.in_transaction()) sqlite3_exec(connection.native(), "rollback", nullptr, nullptr, nullptr);
}

}  // namespace

WriteTransaction::WriteTransaction(Connection& connection) : connection_(&connection) {
  // On such a connection "begin immediate" quietly begins a read.
  if (sqlite3_db_readonly(connection.native(), "main") == 1)
    raise_sqlite(connection.native(), SQLITE_READONLY, kBeginImmediate.name);
  connection.statement(kBeginImmediate).run();
  changes_before_ = sqlite3_total_changes64(connection.native());
}

WriteTransaction::~WriteTransaction() {
  if (connection_ != nullptr) roll_back(*connection_);
}

void WriteTransaction::commit() {
  if (sqlite3_total_changes64(connection_->native()) != changes_before_) label_log(*connection_);
  connection_->statement(kCommit).run();
  connection_ = nullptr;
}

ReadTransaction::ReadTransaction(Connection& connection) : connection_(connection) {
  connection.statement(kBeginDeferred).run();
}

ReadTransaction::~ReadTransaction() { roll_back(connection_); }

}  // namespace tenure::sqlite
