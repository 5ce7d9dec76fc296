#pragma once

#include "../batch_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>

// Batches as rows of the control database, inside one transaction: whether any job is a member of one is asked once in it, and while none is
// nothing else is. Internal.
namespace tenure::queue {

class SqliteWriter;

class SqliteBatchRows final : public WritableBatchRows {
 public:
  explicit SqliteBatchRows(sqlite::Connection& connection, SqliteWriter* writer = nullptr)
      : connection_(connection), writer_(writer) {}

  std::optional<BatchRow> named(BatchId id) override;
  std::optional<BatchRow> numbered(BatchNumber number) override;
  std::vector<BatchRow> newest(const std::optional<BatchNumber>& before, std::size_t limit) override;
  std::optional<CallbackRow> callback(BatchNumber batch, BatchMoment moment) override;
  std::optional<CallbackRow> callback_named(JobId job) override;
  std::vector<JobId> unended(BatchNumber batch, std::size_t limit) override;
  BatchCensus census() override;
  std::optional<TenantRecord> tenant(TenantNumber number) override;
  std::map<BatchNumber, BatchCounts> counted() override;
  bool has_members() override;
  std::optional<MemberRow> member(JobSeq seq) override;
  Result<Generation> live_owner(const std::optional<TenantName>& tenant, Generation wanted,
                                TenantNumber& number) override;
  Result<std::string> envelope_of_callback(const NewJob& job) override;
  Result<Enqueued> enqueue_callback(const NewJob& job, const std::string& envelope, WallTime now) override;
  BatchNumber insert(const BatchRow& row) override;
  void update(const BatchRow& row) override;
  void count(const BatchRow& row) override;
  void insert_callback(const CallbackRow& row) override;
  void update_callback(const CallbackRow& row) override;
  void add_member(JobSeq seq, BatchNumber batch) override;
  void set_ended(JobSeq seq, std::optional<JobState> ended) override;
  void remove_member(JobSeq seq) override;
  std::vector<BatchNumber> left(WallTime completed_before, std::size_t limit) override;
  std::vector<BatchRow> incomplete_of(TenantNumber tenant, std::size_t limit) override;
  std::vector<BatchNumber> all_of(TenantNumber tenant, std::size_t limit) override;
  bool is_visiting(BatchNumber number) override;
  void erase(BatchNumber number) override;

  struct Member {
    JobSeq seq;
    std::optional<JobState> ended;
  };
  // Of that batch in the order of a list, from behind `after`.
  [[nodiscard]] std::vector<Member> members(BatchNumber batch, const ListOptions& options,
                                            const std::optional<JobSeq>& after, std::size_t limit);

 private:
  sqlite::Connection& connection_;
  SqliteWriter* writer_;  // null for who only reads
  std::optional<bool> has_members_;
};

[[nodiscard]] std::vector<const sqlite::Query*> batch_queries();

}  // namespace tenure::queue
