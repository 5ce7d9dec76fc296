#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace tenure::sqlite {

// Stands between user SQL and a connection. Refused when a statement is prepared, as AccessRefused: ATTACH,
// DETACH and VACUUM INTO, every PRAGMA but reads on a list, load_extension, BEGIN, COMMIT and ROLLBACK, and
// whatever makes, changes or drops a tenure_* object. Refused when it commits: a write transaction that our
// code did not sanction, so that whoever holds the sqlite3* meets the same rules. Also stops a running
// statement when `stop` turns true. It must be destroyed before its connection, and after every statement.
// Threads: those of the connection.
class Authorizer {
 public:
  // `stop` may be null, else it must outlive this object; it is read on the connection's thread about every
  // 1,000 steps.
  Authorizer(Connection& connection, const std::atomic<bool>* stop);
  ~Authorizer();
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // While it lives, tenure_* tables may be written and transactions begun and ended. Nests. SQLite asks again
  // whenever it prepares a statement anew, so it must live while the statement runs and not only while it is
  // prepared.
  class Permission {
   public:
    explicit Permission(Authorizer& authorizer);
    ~Permission();
    Permission(const Permission&) = delete;
    Permission& operator=(const Permission&) = delete;

   private:
    Authorizer& authorizer_;
  };

  // What was refused since the last call, for a message: "DETACH is not allowed here". Empty if nothing was.
  [[nodiscard]] std::string take_refusal();

 private:
  friend class Permission;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
