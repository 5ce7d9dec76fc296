#include "outbox_writer.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/jobs/transaction.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure {

Uuid JobTransaction::enqueue_kind(const detail::JobKind& kind, const void* job,
                                  const EnqueueOptions& options) {
  return outbox_.enqueue(transaction_, kind, job, options);
}

namespace detail {

std::size_t bytes_of_job(const queue::NewJob& job) {
  return sizeof job + job.queue.size() + job.kind.size() + job.arguments.size() +
         (job.concurrency ? job.concurrency->key.size() : 0) + (job.unique ? job.unique->key.size() : 0);
}

Uuid OutboxWriter::enqueue(TenantTransaction& transaction, const JobKind& kind, const void* job_data,
                           const EnqueueOptions& options) {
  transaction.require_usable();
  if (rows_of_transaction_ == limits::kBulkMax)
    raise(ErrorCode::limit_reached,
          fmt::format("a transaction enqueues at most {} jobs; this would be one more", limits::kBulkMax));
  queue::Draft draft = drafting_.draft(kind, job_data, options);
  queue::NewJob& job = draft.job;
  job.generation = transaction.generation();
  queue::set_times(draft, drafting_.clock.wall());
  add(transaction, job);
  return job.id.uuid;
}

void OutboxWriter::add(TenantTransaction& transaction, const queue::NewJob& job) {
  const std::string row = value_or_raise(means_.make_row(job));
  if (rows_of_transaction_ == 0 && means_.before_first) means_.before_first(transaction);
  const OutboxAdded added = add_to_outbox(transaction, job.id.uuid, row);
  if (added.text_there && !queue::says_same_job(*added.text_there, job))
    raise(ErrorCode::id_conflict,
          fmt::format("job {} is on its way from this database already, with other content", job.id.text()),
          transaction.tenant().text());
  has_added_ = true;
  ++rows_of_transaction_;
  keep(job);
}

void OutboxWriter::keep(const queue::NewJob& job) {
  if (!means_.on_committed) return;
  bytes_of_transaction_ += bytes_of_job(job);
  if (!means_.may_keep || means_.may_keep(bytes_of_transaction_)) jobs_of_transaction_.push_back(job);
  else jobs_of_transaction_.clear();
}

void OutboxWriter::before_commit(const TenantTransaction& transaction) {
  if (rows_of_transaction_ > 0) {
    last_row_of_transaction_ = newest_in_outbox(transaction);
    ++commits_begun_;
  }
  std::erase_if(jobs_of_transaction_,
                [&](const queue::NewJob& job) { return !is_in_outbox(transaction, job.id.uuid); });
}

void OutboxWriter::committed() {
  last_row_ = std::max(last_row_, last_row_of_transaction_);
  if (rows_of_transaction_ > 0) ++commits_ended_;
  if (!jobs_of_transaction_.empty()) means_.on_committed(jobs_of_transaction_);
}

}  // namespace detail
}  // namespace tenure
