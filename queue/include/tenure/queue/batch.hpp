#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/new_job.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Batches: jobs that belong together, and jobs that are made when they have ended. A batch is opened, gets members until it is closed, and is
// complete when it is closed and every member has ended. In that very commit its callback for `complete` is enqueued, and its callback for
// `success` in the one by which every member has succeeded, each once for ever. Not for users to implement.
//   Members are counted in the batch's row by the commit that brings, ends, retries or removes them; nobody counts them again.
//   A member that is dead, discarded or cancelled has ended without success, and stays counted so when it is deleted or pruned. One that an
//   operator retries counts as not ended again; a batch that was complete stays complete, and may yet succeed.
//   A callback's job has an id that follows from its batch's, is its tenant's, and is no member.
// Decision 41 says why.
namespace tenure::queue {

using BatchNumber = Strong<struct BatchNumberTag, std::int64_t>;

inline constexpr std::size_t kBatchNameMax = 200;  // bytes

// Stored: never renumber.
enum class BatchMoment : std::uint8_t { complete = 1, success = 2 };
[[nodiscard]] std::string_view name_of(BatchMoment moment);

// A job to be made at one of these moments.
struct BatchCallback {
  NewJob job;                                 // id, tenant, generation, times and batch are not looked at
  std::chrono::microseconds run_in{0};        // from the commit that enqueues it
  std::chrono::microseconds start_within{0};  // from its due time; 0: whenever
};
// The same for the same batch and moment, whoever makes it.
[[nodiscard]] JobId job_id_of_callback(BatchId batch, BatchMoment moment);

struct NewBatch {
  BatchId id;
  std::optional<TenantName> tenant;  // nothing: untenanted, and its members may be of any tenant
  Generation generation;             // 0: whatever is live now
  std::string name = {};  // what it is, for whoever looks: UTF-8 without control characters, or empty
  std::optional<BatchCallback> on_complete = {};
  std::optional<BatchCallback> on_success = {};
};

struct BatchCounts {
  std::int64_t members = 0;  // that it has ever had
  std::int64_t present = 0;  // of them, whose jobs are still there
  std::int64_t succeeded = 0;
  std::int64_t dead = 0;
  std::int64_t discarded = 0;
  std::int64_t cancelled = 0;
  [[nodiscard]] std::int64_t ended() const { return succeeded + dead + discarded + cancelled; }
  [[nodiscard]] std::int64_t unended() const { return members - ended(); }
  friend bool operator==(const BatchCounts&, const BatchCounts&) = default;
};

struct CallbackRecord {
  JobId job;
  std::string kind;
  std::optional<WallTime> enqueued = {};
  std::string refused = {};  // why its job could not be made, for ever
  friend bool operator==(const CallbackRecord&, const CallbackRecord&) = default;
};

// The state that is shown follows from the times.
enum class BatchState : std::uint8_t { open, closed, complete };
[[nodiscard]] std::string_view name_of(BatchState state);

struct BatchRecord {
  BatchNumber number;
  BatchId id;
  std::optional<TenantName> tenant = {};
  Generation generation;
  std::string name = {};
  WallTime created{};
  std::optional<WallTime> closed = {};
  std::optional<WallTime> completed = {};  // for the first time
  std::optional<WallTime> succeeded = {};  // every member had
  std::optional<WallTime> cancelled = {};  // by an operator: it does not succeed any more
  BatchCounts counts = {};
  std::optional<CallbackRecord> on_complete = {};
  std::optional<CallbackRecord> on_success = {};
  [[nodiscard]] BatchState state() const {
    return completed ? BatchState::complete : closed ? BatchState::closed : BatchState::open;
  }
};

struct OpenedBatch {
  BatchNumber number;
  bool existed = false;
};

// Which job a batch makes, and when.
struct CallbackOf {
  BatchId batch;
  BatchMoment moment = BatchMoment::complete;
};

// Of all batches.
struct BatchCensus {
  std::int64_t open = 0;
  std::int64_t closed = 0;                   // and not complete
  std::optional<WallTime> oldest_open = {};  // when it was opened
  std::optional<BatchId> oldest_open_id = {};
};

// A batch whose row says other counts than its members do: no store of ours leaves one.
struct MiscountedBatch {
  BatchId id;
  BatchCounts said;
  BatchCounts found;  // by looking at each; what has been removed is taken from the row
};

class BatchReader {
 public:
  virtual ~BatchReader() = default;
  // The newest first, from behind `before`.
  [[nodiscard]] virtual std::vector<BatchRecord> batches(const std::optional<BatchNumber>& before,
                                                         std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<BatchRecord> batch(BatchId id) = 0;
  // Members that have not ended, the oldest first. Looks at each member until it has found so many.
  [[nodiscard]] virtual std::vector<JobId> unended_members(BatchId id, std::size_t limit) = 0;
  // Of a callback's job, whether or not it was made.
  [[nodiscard]] virtual std::optional<CallbackOf> callback_of(JobId job) = 0;
  [[nodiscard]] virtual BatchCensus census() = 0;
  // Looks at every member of every batch.
  [[nodiscard]] virtual std::vector<MiscountedBatch> miscounted(std::size_t limit) = 0;
};

class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  // The same id with the same tenant and name is the batch that is there. IdConflict for any other; BadOptions (its name, or what no store
  // takes of a callback), PayloadTooLarge, BadConfiguration (a key of seals), and what an enqueue says of the tenant.
  [[nodiscard]] virtual Result<OpenedBatch> open(const NewBatch& batch, WallTime now) = 0;
  // Does nothing to one that is closed. RecordNotFound.
  [[nodiscard]] virtual Result<void> close(BatchId id, WallTime now) = 0;
  // Closes it; it will not succeed, unless it has. Its members are cancelled one by one, by cancel_by_operator. RecordNotFound; StateChanged
  // where it is complete.
  [[nodiscard]] virtual Result<void> cancel(BatchId id, WallTime now) = 0;
  // Forgets at most `limit` batches that were complete before that time and of which no member is there any more; how many.
  virtual std::int64_t forget(WallTime completed_before, std::size_t limit) = 0;
};

// Parts of JobReader and of StoreWriter. As long as these live.
class HasBatchReader {
 public:
  virtual ~HasBatchReader() = default;
  [[nodiscard]] virtual BatchReader& batches() = 0;
};
class HasBatchWriter {
 public:
  virtual ~HasBatchWriter() = default;
  [[nodiscard]] virtual BatchWriter& batches() = 0;
};

}  // namespace tenure::queue
