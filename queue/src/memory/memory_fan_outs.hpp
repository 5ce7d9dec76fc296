#pragma once

#include "../fan_out_rows.hpp"
#include "memory_tables.hpp"

// Fan-outs as rows in memory. Internal.
namespace tenure::queue {

class MemoryWriter;

class MemoryFanOutRows final : public WritableFanOutRows {
 public:
  explicit MemoryFanOutRows(const MemoryTables& tables, MemoryWriter* writer = nullptr)
      : tables_(tables), writer_(writer) {}

  std::optional<FanOutRow> of(BatchNumber batch) override;
  std::vector<BatchNumber> newest(const std::optional<BatchNumber>& before, std::size_t limit) override;
  std::vector<BatchNumber> under_way() override;
  std::optional<BatchNumber> newest_of_key(std::string_view key) override;
  FanOutsMark mark() override { return tables_.fan_outs_mark(); }
  std::map<FanOutSkip, std::int64_t> skips(BatchNumber batch) override;
  std::vector<SkippedTenant> skipped(BatchNumber batch, TenantNumber after, std::size_t limit) override;
  std::vector<FanOutJob> jobs(BatchNumber batch, FanOutJobs which, JobSeq after, std::size_t limit) override;
  void insert(const FanOutRow& row) override;
  void raise_mark() override;
  void advance(const FanOutRow& row) override;
  void add_skip(BatchNumber batch, TenantNumber tenant, FanOutSkip skip, WallTime now) override;
  Registry registry() override;
  std::vector<VisitedTenant> tenants(TenantNumber after, TenantNumber until, std::size_t limit) override;
  std::optional<WallTime> deletion_begun(TenantNumber tenant) override;
  std::vector<UnendedMember> unended(BatchNumber batch, JobSeq after, std::size_t limit) override;
  std::vector<JobSeq> waiting(BatchNumber batch, std::size_t limit) override;
  bool is_waiting(BatchNumber batch, JobSeq seq) override;
  Result<std::string> envelope_of(const NewJob& job) override;
  Result<void> check_envelope(const std::string& envelope) override;
  Result<Enqueued> enqueue(const NewJob& job, WallTime now) override;
  Result<void> cancel_job(JobId id, WallTime now) override;

 private:
  [[nodiscard]] MemoryTables& writable() const;
  [[nodiscard]] bool has_started(JobSeq seq) const;

  const MemoryTables& tables_;
  MemoryWriter* writer_;  // null for who only reads
};

}  // namespace tenure::queue
