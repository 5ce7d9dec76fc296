#pragma once

#include <tenure/base/durability.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>

namespace tenure::sqlite {

using tenure::Durability;

// BEGIN IMMEDIATE; rolls back unless committed. The sync of a durable commit is the caller's (sync_wal), after every
// lock is released: see Database::write. A commit that has changed rows labels the log as this database's.
class WriteTransaction {
 public:
  explicit WriteTransaction(Connection& connection);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  void commit();

 private:
  Connection* connection_;
  std::int64_t changes_before_ = 0;
};

// BEGIN DEFERRED for several reads of one snapshot.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Connection& connection_;
};

}  // namespace tenure::sqlite
