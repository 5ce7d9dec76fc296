#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>

namespace tenure::sqlite {

// Durable: on disk when commit returns. Ordered: visible at once and on disk with the next durable commit; a power cut
// undoes a suffix of such commits and never one from the middle. There is no default: each caller says which.
enum class Durability : std::uint8_t { durable, ordered };

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
