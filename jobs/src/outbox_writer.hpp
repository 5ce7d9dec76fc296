#pragma once

#include "drafting.hpp"

#include <tenure/jobs/detail/job_kind.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tenure::detail {

// What a job that is kept in memory takes of it.
[[nodiscard]] std::size_t bytes_of_job(const queue::NewJob& job);

// Puts jobs into the outbox of a tenant's transactions. Threads: one at a time.
class OutboxWriter {
 public:
  // `make_row` is make_outbox_row with its key and limit; `before_first` is called in each transaction before its first row is written,
  // `on_committed` where it was committed with rows, for whoever keeps a record of its jobs. `may_keep` says whether so many bytes of a
  // transaction's jobs may be held until then; where not, they are dropped.
  struct Means {
    std::function<Result<std::string>(const queue::NewJob&)> make_row;
    std::function<void(const TenantTransaction&)> before_first = {};
    std::function<void(const std::vector<queue::NewJob>&)> on_committed = {};
    std::function<bool(std::size_t bytes)> may_keep = {};
  };
  OutboxWriter(JobDrafting drafting, Means means) : drafting_(drafting), means_(std::move(means)) {}

  // A transaction begins.
  void begin() {
    rows_of_transaction_ = 0;
    jobs_of_transaction_.clear();
    bytes_of_transaction_ = 0;
    last_row_of_transaction_ = 0;
  }
  // It is about to be committed. Its rows may have been undone one by one (savepoints of the handler's), so the file is asked.
  void before_commit(const TenantTransaction& transaction);
  // It was committed and synced.
  void committed();

  // What JobTransaction::enqueue says.
  Uuid enqueue(TenantTransaction& transaction, const JobKind& kind, const void* job,
               const EnqueueOptions& options);

  // Of the transaction that has begun.
  [[nodiscard]] std::size_t rows() const { return rows_of_transaction_; }
  // Also where its transaction was undone, or its commit has failed, which may be there all the same.
  [[nodiscard]] bool has_added() const { return has_added_; }
  // Up to which number rows are on disk by the commits of these transactions; 0: none has added any.
  [[nodiscard]] std::int64_t last_row() const { return last_row_; }
  // Rows behind that one may be of these transactions: one was to be committed, and nobody knows whether it was.
  [[nodiscard]] bool has_unsure() const { return commits_begun_ != commits_ended_; }

 private:
  void add(TenantTransaction& transaction, const queue::NewJob& job);
  void keep(const queue::NewJob& job);

  JobDrafting drafting_;
  Means means_;
  bool has_added_ = false;
  std::size_t rows_of_transaction_ = 0;
  std::size_t bytes_of_transaction_ = 0;
  std::vector<queue::NewJob> jobs_of_transaction_;  // where somebody keeps a record of them
  std::int64_t last_row_of_transaction_ = 0;
  std::int64_t last_row_ = 0;
  // Of transactions with rows.
  std::size_t commits_begun_ = 0;
  std::size_t commits_ended_ = 0;
};

}  // namespace tenure::detail
