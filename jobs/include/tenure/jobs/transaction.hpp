#pragma once

#include <tenure/base/uuid.hpp>
#include <tenure/jobs/detail/job_kind.hpp>
#include <tenure/jobs/detail/never.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/ref.hpp>

#include <cstdint>
#include <string_view>

namespace tenure {

namespace detail {
class OutboxWriter;
}

// A transaction of a tenant's database in which jobs can be enqueued: what it writes and the jobs are there together, or neither.
// A step of `once` gets one, and so does the function of Client::transaction. A reference to it is of no use after that.
// Threads: its handle's.
class JobTransaction {
 public:
  JobTransaction(TenantTransaction& transaction, detail::OutboxWriter& outbox)
      : transaction_(transaction), outbox_(outbox) {}

  template <class... Values>
  std::int64_t execute(std::string_view sql, const Values&... values) {
    return transaction_.execute(sql, values...);
  }
  template <class... Values>
  [[nodiscard]] TenantRows query(std::string_view sql, const Values&... values) {
    return transaction_.query(sql, values...);
  }
  template <class T>
  [[nodiscard]] Loaded<T> locate(const Ref<T>& ref) {
    return tenure::locate(reader(), ref);
  }
  // The Global ID of a record of this tenant, by its integer or text id; it is not looked up.
  template <class T, class Id>
  [[nodiscard]] Ref<T> ref(const Id& id) const {
    return transaction_.ref<T>(id);
  }
  [[nodiscard]] std::int64_t last_insert_row() const { return transaction_.last_insert_row(); }
  [[nodiscard]] TenantReader& reader() { return transaction_; }

  // Returns the job's id. The job is this tenant's; it starts after the commit and never without it, and comes to the queue in the order
  // of the enqueues. Options mean the same as with Client::enqueue; `run_in` counts from here.
  // What it throws leaves the transaction as it was before: the function may go on or let it pass, which undoes all. Of the tenant:
  // TenantSwapProhibited (another one), WrongTenant (inside another scope), MissingTenant (an untenanted job: the client's enqueue is for
  // that). Of arguments and options as Client::enqueue. IdConflict: the id was given in this database to another job that is still on its
  // way; to the same job, it is that job.
  // LimitReached: more than 10,000 jobs in one transaction. In Client::transaction also what Client::enqueue says of the tenant and of the
  // world, since the first one of a transaction may have to write to the control database; and TenantNotReady where this database is an
  // older copy, whose next jobs would be taken for those that have come already.
  // What only the queue can see is seen when the job comes there: where it cannot be taken (an id that the queue has already for another
  // job, too many kinds or queues), it stays in this database with those behind it, and `tenure doctor` names it.
  template <JobType Job>
  Uuid enqueue(const Job& job, const EnqueueOptions& options = {}) {
    return enqueue_kind(detail::job_kind_of<Job>(), &job, options);
  }
  // Says what is missing.
  template <class Job>
  requires(!JobType<Job>) Uuid enqueue(const Job&, const EnqueueOptions& = {}) {
    static_assert(detail::kNever<Job>, TENURE_JOB_WITHOUT_KIND);
    return {};
  }

 private:
  Uuid enqueue_kind(const detail::JobKind& kind, const void* job, const EnqueueOptions& options);

  TenantTransaction& transaction_;
  detail::OutboxWriter& outbox_;
};

}  // namespace tenure
