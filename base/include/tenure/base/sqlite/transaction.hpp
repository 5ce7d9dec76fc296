#pragma once

#include <tenure/base/durability.hpp>
#include <tenure/base/sqlite/connection.hpp>

namespace tenure::sqlite {

using tenure::Durability;

// BEGIN IMMEDIATE; rolls back unless committed. The sync of a durable commit is the caller's (sync_wal), after every
// lock is released: see Database::write.
class WriteTransaction {
 public:
  explicit WriteTransaction(Connection& connection);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  void commit();

 private:
  Connection* connection_;
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
