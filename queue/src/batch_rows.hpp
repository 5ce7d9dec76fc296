#pragma once

#include <tenure/queue/batch.hpp>
#include <tenure/queue/store.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

// Batches as rows, which each store keeps in its own way; what is done with them is the same in all (batch_verbs.hpp). Internal.
namespace tenure::queue {

struct BatchRow {
  BatchNumber number;
  BatchId id;
  TenantNumber tenant{0};
  std::string name;
  WallTime created{};
  std::optional<WallTime> closed, completed, succeeded, cancelled;
  BatchCounts counts;
};

struct CallbackRow {
  BatchNumber batch;
  BatchMoment moment = BatchMoment::complete;
  // Its arguments stand in the envelope alone, which is sealed since the batch was opened.
  NewJob job;
  std::chrono::microseconds run_in{0};
  std::chrono::microseconds start_within{0};
  std::string envelope;
  std::optional<WallTime> enqueued;
  std::string refused;
};

struct MemberRow {
  BatchNumber batch;
  std::optional<JobState> ended;  // as which it is counted
};

class BatchRows {
 public:
  virtual ~BatchRows() = default;

  virtual std::optional<BatchRow> named(BatchId id) = 0;
  virtual std::optional<BatchRow> numbered(BatchNumber number) = 0;
  virtual std::vector<BatchRow> newest(const std::optional<BatchNumber>& before, std::size_t limit) = 0;
  virtual std::optional<CallbackRow> callback(BatchNumber batch, BatchMoment moment) = 0;
  virtual std::optional<CallbackRow> callback_named(JobId job) = 0;
  virtual std::vector<JobId> unended(BatchNumber batch, std::size_t limit) = 0;
  virtual BatchCensus census() = 0;
  virtual std::optional<TenantRecord> tenant(TenantNumber number) = 0;
  // Of each batch the members whose jobs are there: how many, and as what these have ended, whatever is noted of it. Looks at all of them.
  virtual std::map<BatchNumber, BatchCounts> counted() = 0;
  // Whether any job is a member of any batch; asked once.
  virtual bool has_members() = 0;
  virtual std::optional<MemberRow> member(JobSeq seq) = 0;
};

// The same inside of a transaction that writes.
class WritableBatchRows : public BatchRows {
 public:
  // What an enqueue of that tenant says; 0 for none.
  virtual Result<Generation> live_owner(const std::optional<TenantName>& tenant, Generation wanted,
                                        TenantNumber& number) = 0;
  // Sealed where there is a key.
  virtual Result<std::string> envelope_of_callback(const NewJob& job) = 0;
  virtual Result<Enqueued> enqueue_callback(const NewJob& job, const std::string& envelope, WallTime now) = 0;

  virtual BatchNumber insert(const BatchRow& row) = 0;
  virtual void update(const BatchRow& row) = 0;
  // Its counts alone.
  virtual void count(const BatchRow& row) = 0;
  virtual void insert_callback(const CallbackRow& row) = 0;
  // enqueued and refused alone.
  virtual void update_callback(const CallbackRow& row) = 0;
  virtual void add_member(JobSeq seq, BatchNumber batch) = 0;
  virtual void set_ended(JobSeq seq, std::optional<JobState> ended) = 0;
  virtual void remove_member(JobSeq seq) = 0;
  // Whether it is that of a fan-out with tenants that are to be visited yet.
  virtual bool is_visiting(BatchNumber number) = 0;
  // Of one tenant: those that are not complete, and all.
  virtual std::vector<BatchRow> incomplete_of(TenantNumber tenant, std::size_t limit) = 0;
  virtual std::vector<BatchNumber> all_of(TenantNumber tenant, std::size_t limit) = 0;
  // With the fan-out that it is of.
  virtual void erase(BatchNumber number) = 0;
  virtual std::vector<BatchNumber> left(WallTime completed_before, std::size_t limit) = 0;
};

}  // namespace tenure::queue
