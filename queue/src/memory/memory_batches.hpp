#pragma once

#include "../batch_rows.hpp"
#include "memory_tables.hpp"

// Batches as rows in memory. Internal.
namespace tenure::queue {

class MemoryWriter;

class MemoryBatchRows final : public WritableBatchRows {
 public:
  explicit MemoryBatchRows(const MemoryTables& tables, MemoryWriter* writer = nullptr)
      : tables_(tables), writer_(writer) {}

  std::optional<BatchRow> named(BatchId id) override;
  std::optional<BatchRow> numbered(BatchNumber number) override;
  std::vector<BatchRow> newest(const std::optional<BatchNumber>& before, std::size_t limit) override;
  std::optional<CallbackRow> callback(BatchNumber batch, BatchMoment moment) override;
  std::optional<CallbackRow> callback_named(JobId job) override;
  std::vector<JobId> unended(BatchNumber batch, std::size_t limit) override;
  BatchCensus census() override;
  std::optional<TenantRecord> tenant(TenantNumber number) override { return tables_.tenant(number); }
  std::map<BatchNumber, BatchCounts> counted() override;
  bool has_members() override { return !tables_.batch_jobs().empty(); }
  std::optional<MemberRow> member(JobSeq seq) override;
  Result<Generation> live_owner(const std::optional<TenantName>& tenant, Generation wanted,
                                TenantNumber& number) override;
  Result<std::string> envelope_of_callback(const NewJob& job) override;
  Result<Enqueued> enqueue_callback(const NewJob& job, const std::string& envelope, WallTime now) override;
  BatchNumber insert(const BatchRow& row) override;
  void update(const BatchRow& row) override;
  void count(const BatchRow& row) override { update(row); }
  void insert_callback(const CallbackRow& row) override { update_callback(row); }
  void update_callback(const CallbackRow& row) override;
  void add_member(JobSeq seq, BatchNumber batch) override;
  void set_ended(JobSeq seq, std::optional<JobState> ended) override;
  void remove_member(JobSeq seq) override;
  std::vector<BatchNumber> left(WallTime completed_before, std::size_t limit) override;
  std::vector<BatchRow> incomplete_of(TenantNumber tenant, std::size_t limit) override;
  std::vector<BatchNumber> all_of(TenantNumber tenant, std::size_t limit) override;
  bool is_visiting(BatchNumber number) override;
  void erase(BatchNumber number) override;

 private:
  [[nodiscard]] MemoryTables& writable() const;

  const MemoryTables& tables_;
  MemoryWriter* writer_;  // null for who only reads
};

}  // namespace tenure::queue
