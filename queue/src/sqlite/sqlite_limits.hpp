#pragma once

#include "../limit_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>

#include <span>

// Limits and the starts that rates count, as rows of the control database. Internal.
namespace tenure::queue {

class SqliteLimitRows final : public LimitRows {
 public:
  explicit SqliteLimitRows(sqlite::Connection& connection) : connection_(connection) {}

  std::vector<LimitRecord> limits() override;
  std::vector<LimitRecord> limits_per_key() override;
  void insert(const LimitRecord& limit) override;
  void update(const LimitRecord& limit) override;
  void erase(LimitNumber number) override;
  void forget_starts(LimitNumber number) override;
  LimitsMark mark() override;
  std::vector<StartBucket> buckets(LimitNumber number) override;
  std::vector<RunningClaim> claims() override;
  std::string name_of(QueueNumber queue) override;
  std::string name_of(KindNumber kind) override;
  std::string name_of(TenantNumber tenant) override;

  // As LimitWriter says.
  [[nodiscard]] std::vector<StartBucket> all_buckets(WallTime now);
  void note(std::span<const BucketNote> notes, WallTime now);

 private:
  sqlite::Connection& connection_;
};

[[nodiscard]] std::vector<const sqlite::Query*> limit_rule_queries();

}  // namespace tenure::queue
