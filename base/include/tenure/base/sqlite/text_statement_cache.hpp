#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace tenure::sqlite {

// Prepared statements of SQL that comes from users and so is no constant Query, the 64 used last. A text that
// is in use already gets a statement of its own. Destroy it after its statements and before its connection.
// Threads: those of the connection.
class TextStatementCache {
  struct Entry;

 public:
  static constexpr std::size_t kStatementsMax = 64;

  explicit TextStatementCache(Connection& connection);
  ~TextStatementCache();
  TextStatementCache(const TextStatementCache&) = delete;
  TextStatementCache& operator=(const TextStatementCache&) = delete;

  // A lease of one prepared text; gives it back when destroyed.
  class Lease {
   public:
    explicit Lease(std::shared_ptr<Entry> entry);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    [[nodiscard]] Statement& statement() { return statement_; }
    [[nodiscard]] const Statement& statement() const { return statement_; }
    [[nodiscard]] int parameters() const;
    // Changes nothing in the database.
    [[nodiscard]] bool read_only() const;

   private:
    std::shared_ptr<Entry> entry_;
    Statement statement_;
  };

  // One statement: BadOptions for none, or for more text after it. Errors of the text throw as
  // result_code.hpp says.
  [[nodiscard]] std::unique_ptr<Lease> statement_for(std::string_view sql);
  // Drops all that are not in use.
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::sqlite
