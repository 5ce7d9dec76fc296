#pragma once

#include <tenure/base/sqlite/authorizer.hpp>
#include <tenure/base/sqlite/query.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/tenancy/handle.hpp>

#include <memory>
#include <string_view>

namespace tenure {

// Lets Tenure's own code write tenure_* tables inside a transaction (or read them inside a snapshot), for as
// long as it lives. Not for handlers: no user code may run meanwhile. Its statements are cached apart from
// those of user SQL, and are done before it ends. Name the tables as main.tenure_..., since user SQL may make
// temporary ones of the same name.
class OwnTables {
 public:
  // `reader` must outlive it. Failures: those of TenantReader::require_usable.
  explicit OwnTables(const TenantReader& reader);
  [[nodiscard]] sqlite::Statement statement(const sqlite::Query& query);
  // Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  // Of the last insert, here or by user SQL: whoever inserts between a caller's insert and its question puts back what it was.
  [[nodiscard]] std::int64_t last_insert_row() const;
  void set_last_insert_row(std::int64_t row);
  // For as long as it lives, begin() of the reader's lease takes a stamp that is `migrating` for one that may be written to: for whoever
  // migrates. Neither reader nor tables need to outlive it.
  class WhileMigrating {
   public:
    explicit WhileMigrating(const TenantReader& reader);
    ~WhileMigrating();
    WhileMigrating(const WhileMigrating&) = delete;
    WhileMigrating& operator=(const WhileMigrating&) = delete;

   private:
    std::shared_ptr<detail::LeaseState> lease_;
  };
  // For as long as it lives the transaction is not committed: the code of a migration's step, which is named, runs in it.
  class WhileCodeRuns {
   public:
    WhileCodeRuns(const TenantTransaction& transaction, std::string_view step);
    ~WhileCodeRuns();
    WhileCodeRuns(const WhileCodeRuns&) = delete;
    WhileCodeRuns& operator=(const WhileCodeRuns&) = delete;

   private:
    std::shared_ptr<detail::TransactionState> state_;
  };
  // For what goes past statements: copies, and the recording of changes.
  [[nodiscard]] sqlite::Connection& connection() const { return connection_; }

 private:
  detail::LeaseState& lease_;
  sqlite::Connection& connection_;
  sqlite::Authorizer::Permission permission_;
};

}  // namespace tenure
