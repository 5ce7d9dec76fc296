#pragma once

#include "../limit_rows.hpp"
#include "memory_tables.hpp"

#include <span>

// Limits and the starts that rates count, as rows in memory. Internal.
namespace tenure::queue {

class MemoryLimitRows final : public LimitRows {
 public:
  explicit MemoryLimitRows(const MemoryTables& tables, MemoryTables* writable = nullptr)
      : tables_(tables), writable_(writable) {}

  std::vector<LimitRecord> limits() override;
  std::vector<LimitRecord> limits_per_key() override;
  void insert(const LimitRecord& limit) override { writable_->insert_limit(limit); }
  void update(const LimitRecord& limit) override { writable_->update_limit(limit); }
  void erase(LimitNumber number) override { writable_->erase_limit(number); }
  void forget_starts(LimitNumber number) override { writable_->erase_buckets_of(number); }
  LimitsMark mark() override { return tables_.limits_mark(); }
  std::vector<StartBucket> buckets(LimitNumber number) override;
  std::vector<RunningClaim> claims() override;
  std::string name_of(QueueNumber queue) override;
  std::string name_of(KindNumber kind) override;
  std::string name_of(TenantNumber tenant) override;

  // As LimitWriter says.
  [[nodiscard]] std::vector<StartBucket> all_buckets(WallTime now) const;
  void note(std::span<const BucketNote> notes, WallTime now);

 private:
  const MemoryTables& tables_;
  MemoryTables* writable_;  // null for who only reads
};

}  // namespace tenure::queue
