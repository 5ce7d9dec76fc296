#pragma once

#include <tenure/queue/fan_out.hpp>
#include <tenure/queue/store.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

// Fan-outs as rows, which each store keeps in its own way; what is done with them is the same in all (fan_out_verbs.hpp). Internal.
namespace tenure::queue {

struct FanOutRow {
  BatchNumber batch;
  std::string key;
  // Its arguments stand in the envelope alone, which is sealed since the start.
  NewJob job;
  std::chrono::microseconds start_within{0};
  std::chrono::microseconds window{0};
  std::optional<StartRate> rate;
  std::string envelope;
  TenantNumber until{0};  // the last tenant that there was at the start
  std::int64_t tenants = 0;
  TenantNumber after{0};
  std::int64_t visited = 0;
  std::int64_t made = 0;
  std::int64_t skipped = 0;
  std::int64_t vanished = 0;  // of `skipped`: those whose rows have gone from the registry
  JobSeq cancelled_until{0};
  bool is_under_way = true;
  std::string problem;
};

// Of one tenant, as the registry has it; nothing where its row names none that may work.
struct VisitedTenant {
  TenantNumber number;
  std::optional<TenantRecord> record;
};

// A member of the batch that has not ended.
struct UnendedMember {
  JobSeq seq;
  JobId id;
  bool has_started = false;
};

class FanOutRows {
 public:
  virtual ~FanOutRows() = default;

  virtual std::optional<FanOutRow> of(BatchNumber batch) = 0;
  virtual std::vector<BatchNumber> newest(const std::optional<BatchNumber>& before, std::size_t limit) = 0;
  // By number.
  virtual std::vector<BatchNumber> under_way() = 0;
  // The newest one of that key.
  virtual std::optional<BatchNumber> newest_of_key(std::string_view key) = 0;
  virtual FanOutsMark mark() = 0;
  virtual std::map<FanOutSkip, std::int64_t> skips(BatchNumber batch) = 0;
  virtual std::vector<SkippedTenant> skipped(BatchNumber batch, TenantNumber after, std::size_t limit) = 0;
  virtual std::vector<FanOutJob> jobs(BatchNumber batch, FanOutJobs which, JobSeq after,
                                      std::size_t limit) = 0;
};

// The same inside of a transaction that writes.
class WritableFanOutRows : public FanOutRows {
 public:
  // Raises the mark.
  virtual void insert(const FanOutRow& row) = 0;
  virtual void raise_mark() = 0;
  // What its progress changes, and whether it is under way.
  virtual void advance(const FanOutRow& row) = 0;
  virtual void add_skip(BatchNumber batch, TenantNumber tenant, FanOutSkip skip, WallTime now) = 0;

  struct Registry {
    TenantNumber until{0};
    std::int64_t tenants = 0;
  };
  // All rows, of deleted tenants too.
  virtual Registry registry() = 0;
  // By number from behind `after`, up to `until`.
  virtual std::vector<VisitedTenant> tenants(TenantNumber after, TenantNumber until, std::size_t limit) = 0;
  // When its deletion has begun.
  virtual std::optional<WallTime> deletion_begun(TenantNumber tenant) = 0;

  // Members that have not ended, the oldest first from behind `after`.
  virtual std::vector<UnendedMember> unended(BatchNumber batch, JobSeq after, std::size_t limit) = 0;
  // The newest members that have not ended and never started.
  virtual std::vector<JobSeq> waiting(BatchNumber batch, std::size_t limit) = 0;
  // Whether it is such a member.
  virtual bool is_waiting(BatchNumber batch, JobSeq seq) = 0;

  // Sealed where there is a key, and its names known.
  virtual Result<std::string> envelope_of(const NewJob& job) = 0;
  // BadSeal where a key is in force that has not made it; BadConfiguration.
  virtual Result<void> check_envelope(const std::string& envelope) = 0;
  virtual Result<Enqueued> enqueue(const NewJob& job, WallTime now) = 0;
  virtual Result<void> cancel_job(JobId id, WallTime now) = 0;
};

}  // namespace tenure::queue
