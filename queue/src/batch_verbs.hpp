#pragma once

#include "batch_rows.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What is done with batches, the same in every store. Internal.
namespace tenure::queue {

class BatchQuestions final : public BatchReader {
 public:
  explicit BatchQuestions(BatchRows& rows) : rows_(rows) {}
  std::vector<BatchRecord> batches(const std::optional<BatchNumber>& before, std::size_t limit) override;
  std::optional<BatchRecord> batch(BatchId id) override;
  std::vector<JobId> unended_members(BatchId id, std::size_t limit) override;
  std::optional<CallbackOf> callback_of(JobId job) override;
  BatchCensus census() override { return rows_.census(); }
  std::vector<MiscountedBatch> miscounted(std::size_t limit) override;

  // Of which the job is a member.
  [[nodiscard]] std::optional<BatchId> batch_of(JobSeq seq);

 private:
  [[nodiscard]] BatchRecord record_of(const BatchRow& row);
  [[nodiscard]] std::optional<CallbackRecord> callback_record(BatchNumber batch, BatchMoment moment);
  BatchRows& rows_;
};

// Told when the transaction is committed.
struct BatchNews {
  enum class What : std::uint8_t { complete, late_job, callback_refused } what = What::complete;
  std::string text;
};
void tell(const std::vector<BatchNews>& news);

// How a job comes into its batch. What a tenant's transaction has enqueued was acknowledged, so it becomes a job in any case.
enum class JoinBy : std::uint8_t { enqueue, outbox };

class BatchVerbs final : public BatchWriter {
 public:
  explicit BatchVerbs(WritableBatchRows& rows) : rows_(rows) {}

  Result<OpenedBatch> open(const NewBatch& batch, WallTime now) override;
  Result<void> close(BatchId id, WallTime now) override;
  Result<void> cancel(BatchId id, WallTime now) override;
  std::int64_t forget(WallTime completed_before, std::size_t limit) override;
  // Of a fan-out that has visited its last tenant; close() refuses it before.
  void close_by_fan_out(BatchNumber number, WallTime now);

  // TenantLifeWriter::end_batches_of, and erase_rows_of as far as batches go.
  [[nodiscard]] std::int64_t end_of(TenantNumber tenant, std::size_t limit, WallTime now);
  [[nodiscard]] std::int64_t erase_of(TenantNumber tenant, std::size_t limit);

  // The batch that a job comes into; nothing: none. RecordNotFound, WrongTenant, StateChanged; none of them of one that an outbox brings.
  [[nodiscard]] Result<std::optional<BatchNumber>> joined_by(const NewJob& job, TenantNumber tenant,
                                                             JoinBy by);
  // Whether the job that is there is of the batch that is stated. Such an enqueue was answered before.
  [[nodiscard]] bool states_same(JobSeq seq, const NewJob& job);
  void join(JobSeq seq, BatchNumber batch);
  // A job has ended, whoever ended it; it is to run again; it is removed. Each costs a look where no job is a member of any batch.
  void ended(JobSeq seq, JobState state, WallTime now);
  void revived(JobSeq seq);
  void removed(JobSeq seq);

  // Whether jobs were made, so that the commit has to be durable.
  [[nodiscard]] bool has_made_jobs() const { return has_made_jobs_; }
  [[nodiscard]] std::vector<BatchNews> take_news() { return std::move(news_); }

 private:
  [[nodiscard]] bool may_have_come_late(BatchId id) const;
  [[nodiscard]] bool is_same(const BatchRow& former, const NewBatch& batch);
  [[nodiscard]] Result<BatchRow> found(BatchId id);
  Result<void> add_callback(const BatchRow& row, const NewBatch& batch, Generation generation,
                            BatchMoment moment);
  void close_row(BatchRow& row, WallTime now);
  void settle(BatchRow& row, WallTime now);
  void fire(const BatchRow& row, BatchMoment moment, WallTime now);
  [[nodiscard]] std::string text_of(const BatchRow& row);

  WritableBatchRows& rows_;
  bool has_made_jobs_ = false;
  std::vector<BatchNews> news_;
};

}  // namespace tenure::queue
