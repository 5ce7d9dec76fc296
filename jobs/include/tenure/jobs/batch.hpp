#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/jobs/detail/job_kind.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/batch_id.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Batches: jobs that belong together, and what is done when they have ended. docs/manual/batches.md tells how they are used.
namespace tenure {

// A job that a batch makes once: {.on_complete = SendReport{...}}. Its options are those of an enqueue; the batch gives it its tenant and its
// id, and it starts no earlier than the batch is where it should be: id, tenant, untenanted, run_at, start_before and batch are BadOptions. A
// unique key of its kind does not count.
class BatchJob {
 public:
  template <JobType Job>
  BatchJob(Job job, EnqueueOptions options = {})  // NOLINT(google-explicit-constructor): a value of a field
      : kind_(detail::job_kind_of<Job>()),
        job_(std::make_shared<const Job>(std::move(job))),
        options_(std::move(options)) {}

  [[nodiscard]] const detail::JobKind& kind() const { return kind_; }
  [[nodiscard]] const void* job() const { return job_.get(); }
  [[nodiscard]] const EnqueueOptions& options() const { return options_; }

 private:
  detail::JobKind kind_;
  std::shared_ptr<const void> job_;
  EnqueueOptions options_;
};

struct BatchOptions {
  std::string name = {};  // what it is, for operators: at most 200 bytes of UTF-8 without control characters
  // When it is closed and every member has ended, however; in the commit of the end that completes it.
  std::optional<BatchJob> on_complete = {};
  // When it is closed and every member has succeeded, which may be after an operator's retry of one that had not.
  std::optional<BatchJob> on_success = {};
  // Made by the caller who repeats the call after a lost reply, or who puts it into arguments: the same id again is the same batch.
  std::optional<BatchId> id = {};
  // As of an enqueue. The members of an untenanted batch may be of any tenant; of another one they are its tenant's.
  TenantOfCall tenant = {};
  bool untenanted = false;
};

// How a batch stands. `ended()` counts those that are dead, discarded and cancelled too.
struct BatchStatus {
  BatchId id;
  std::string name = {};
  bool is_closed = false;
  bool is_complete = false;    // it was; an operator may have retried a member since
  bool has_succeeded = false;  // every member had
  std::int64_t members = 0;    // that it has ever had
  std::int64_t succeeded = 0;
  std::int64_t dead = 0;
  std::int64_t discarded = 0;
  std::int64_t cancelled = 0;
  [[nodiscard]] std::int64_t ended() const { return succeeded + dead + discarded + cancelled; }
};

// The jobs of Client::enqueue_batch, which are stored together. Threads: the caller's.
class BatchJobs {
 public:
  // Adds one; options as of Client::enqueue, whose errors it throws, but `batch`, which is this one: BadOptions. LimitReached: more than
  // 10,000.
  template <JobType Job>
  Uuid enqueue(const Job& job, const EnqueueOptions& options = {}) {
    return add(detail::job_kind_of<Job>(), &job, options);
  }
  [[nodiscard]] BatchId id() const { return id_; }

 private:
  friend class Client;
  struct Filling;
  BatchJobs(BatchId id, Filling& filling) : id_(id), filling_(filling) {}
  Uuid add(const detail::JobKind& kind, const void* job, const EnqueueOptions& options);

  BatchId id_;
  Filling& filling_;
};

}  // namespace tenure
