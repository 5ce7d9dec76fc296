#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/durability.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/batch.hpp>
#include <tenure/jobs/detail/job_kind.hpp>
#include <tenure/jobs/fan_out.hpp>
#include <tenure/jobs/found_job.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/transaction.hpp>
#include <tenure/tenancy/ref.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenure {

class Tenants;
namespace queue {
class Store;
}  // namespace queue

// What an application says when it makes a client by hand; Client::open takes it from the configuration. The key of seals is the store's.
struct ClientOptions {
  std::string application = "tenure";
  Durability durability = Durability::durable;
  std::string wake_path = {};  // the control database whose daemon is told; empty: nobody is
  // How much may wait in calls of async_enqueue (tenure/async.hpp); one more is LimitReached. And how many async_wait.
  std::size_t waiting_jobs_max = 100'000;
  std::size_t waiting_bytes_max = 64UL * 1024 * 1024;  // of arguments
  std::size_t waiting_ends_max = 100'000;
  // Each call of async_enqueue is stored before it returns, and told in the end as ever: for tests, whose world is one thread's.
  bool stores_in_call = false;
  // Names of members whose values no error quotes, as `security.mask` has them; besides password, token and secret.
  std::vector<std::string> mask = {};
};

// Whether a bulk with bad items stores the good ones.
enum class BulkRule : std::uint8_t { store_good_ones, all_or_nothing };

// One item of a bulk enqueue, in input order: its id, or why it was refused.
struct BulkItem {
  Uuid id;
  std::optional<Failure> failure;
};

namespace detail {
class AsyncCalls;

template <class Id>
[[nodiscard]] std::string id_text(const Id& id) {
  static_assert(!std::is_same_v<Id, bool> && !std::is_same_v<Id, char>,
                "tenure: the id of a record is an integer or text, and no bool or char.");
  if constexpr (std::integral<Id>) return std::to_string(id);
  else return std::string{std::string_view{id}};
}

template <class Jobs>
concept HasElementsSideBySide = requires(const Jobs& jobs) {
  std::data(jobs);
  std::size(jobs);
};
}  // namespace detail

// Enqueues jobs, with the daemon up or down. The tenant is captured at the call: from with_tenant, or from the options;
// every Global ID inside the arguments is compared with it. When an enqueue returns, the job is on disk (with the default
// durability); when it throws, nothing of it is stored, except that after DiskSyncFailed the outcome is unknown and
// the same id may be enqueued again.
// In a child of fork() every method is ForkedProcess, and so is Client::open as long as the parent had a database open when it
// forked: a server that forks its workers opens the client in each of them.
// Threads: every method from any thread; callers that come at the same time share a commit and its sync.
class Client {
 public:
  // Reads the configuration (without a name the file that `tenure` would read: TENURE_CONFIG's, else /etc/tenure/tenure.toml)
  // with the key of seals that it names, and opens the control database, which it makes where its folder is there. BadConfiguration (the folder of
  // migrations too), DatabaseMissing (the folder), SchemaMismatch, DatabaseDamaged, StoreBusy, DiskError, DiskSyncFailed, AccessRefused,
  // ForkedProcess. What the library has to tell of this process (rare: a disk in trouble, a log that grew long) is written as [log] of
  // the configuration says (format, file, and level where it is said, else warnings and errors; where the file is not there or cannot be opened:
  // to standard error), unless the program has
  // called log::configure() or log::silence() (<tenure/base/log.hpp>) itself, or is in worker_main.
  [[nodiscard]] static Client open(const std::string& config_file = {});
  // Over a store of the caller's; both must outlive it. There are no tenants() then.
  Client(queue::Store& store, const Clock& clock, ClientOptions options);
  // The same with tenants of the caller's, which must outlive it.
  Client(queue::Store& store, Tenants& tenants, const Clock& clock, ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Returns the job's id.
  // Of the batch: RecordNotFound, WrongTenant, StateChanged (it is closed).
  // Of the tenant: NoTenant (no scope, and not untenanted), TenantSwapProhibited, BadTenantName, TenantDoesNotExist, TenantDeleted,
  // TenantNotReady (draining), StaleGeneration. Of the arguments: WrongTenant, MissingTenant, BadGlobalId (of an id in them, named by
  // its path), BadPayload, PayloadTooLarge. Of the options: BadOptions, IdConflict, LimitReached (too many kinds or queues). Of the
  // world: BadConfiguration (jobs must be sealed here, and the key is another one or none), StoreBusy, DiskError, DiskSyncFailed, DatabaseMoved, DatabaseDamaged, OutOfMemory, ForkedProcess.
  template <JobType Job>
  Uuid enqueue(const Job& job, const EnqueueOptions& options = {}) {
    return enqueue_one(detail::job_kind_of<Job>(), &job, options);
  }

  // One commit for at most 10,000 jobs of one kind, and one hint to the daemon. `options.id` must be empty (BadOptions). Results are in
  // the order of the jobs. With all_or_nothing the first bad item's error is thrown, whose message begins with "item N: ", counted from
  // 0, and nothing is stored. What is of the world, as with enqueue, is thrown in any case.
  template <JobType Job>
  std::vector<BulkItem> enqueue_all(std::span<const Job> jobs, const EnqueueOptions& options = {},
                                    BulkRule rule = BulkRule::store_good_ones) {
    return enqueue_many(detail::job_kind_of<Job>(), jobs.data(), jobs.size(), options, rule);
  }

  // The same for a vector, an array, or what else has its elements side by side.
  template <class Jobs, class Job = std::remove_cvref_t<decltype(*std::data(std::declval<const Jobs&>()))>>
  requires JobType<Job> std::vector<BulkItem> enqueue_all(const Jobs& jobs,
                                                          const EnqueueOptions& options = {},
                                                          BulkRule rule = BulkRule::store_good_ones) {
    return enqueue_many(detail::job_kind_of<Job>(), std::data(jobs), std::size(jobs), options, rule);
  }

  // The same for enqueue_all({Job{1}, Job{2}}).
  template <JobType Job>
  std::vector<BulkItem> enqueue_all(std::initializer_list<Job> jobs, const EnqueueOptions& options = {},
                                    BulkRule rule = BulkRule::store_good_ones) {
    return enqueue_many(detail::job_kind_of<Job>(), jobs.begin(), jobs.size(), options, rule);
  }

  // Say what is missing.
  template <class Job>
  requires(!JobType<Job>) Uuid enqueue(const Job&, const EnqueueOptions& = {}) {
    static_assert(detail::kNever<Job>, TENURE_JOB_WITHOUT_KIND);
    return {};
  }
  template <class Jobs, class Job = std::remove_cvref_t<decltype(*std::begin(std::declval<const Jobs&>()))>>
  requires(!JobType<Job> || !detail::HasElementsSideBySide<Jobs>) std::vector<BulkItem> enqueue_all(
      const Jobs&, const EnqueueOptions& = {}, BulkRule = BulkRule::store_good_ones) {
    static_assert(JobType<Job>, TENURE_JOB_WITHOUT_KIND);
    static_assert(
        detail::HasElementsSideBySide<Jobs>,
        "tenure: enqueue_all takes jobs that lie side by side: a std::vector, std::array or std::span.");
    return {};
  }

  // From an event loop: <tenure/async.hpp> says what these do, and has to be included where they are called.
  template <JobType Job, class CompletionToken>
  auto async_enqueue(const Job& job, const EnqueueOptions& options, CompletionToken&& token);
  template <class Jobs, class CompletionToken>
  auto async_enqueue_all(const Jobs& jobs, const EnqueueOptions& options, BulkRule rule,
                         CompletionToken&& token);
  template <class CompletionToken>
  auto async_wait(const Uuid& id, const JobsOf& whose, CompletionToken&& token);

  // What an application asks of jobs that it has enqueued, by their ids. Whose they are is said as with an enqueue, by the scope or by `whose`:
  // NoTenant, TenantSwapProhibited, BadOptions. A job of another tenant, or of a former generation of this one, is not found: who guesses
  // ids learns nothing. Of the world: StoreBusy, DiskError, DiskSyncFailed, DatabaseMoved, DatabaseDamaged, OutOfMemory, ForkedProcess.
  // A page asks once each time it is shown; who waits for an end uses async_wait, which asks for all that wait together.

  // Nothing: there is no such job, or none any more (see `retention` of the configuration).
  [[nodiscard]] std::optional<FoundJob> find(const Uuid& id, const JobsOf& whose = {});
  // What the handler of a `Job` returned. Nothing: it has not succeeded (yet), or the result is not kept any more; rarely: its worker process has
  // ended in the moment between the run's end and telling of it. JobNotFound; BadOptions: the job is of another kind; what decoding says,
  // where the type has changed.
  template <JobType Job>
  [[nodiscard]] std::optional<typename Job::Result> result(const Uuid& id, const JobsOf& whose = {}) {
    const std::optional<std::string> text = result_text(detail::job_kind_of<Job>(), id, whose);
    if (!text) return std::nullopt;
    TenantPayloadContext context = payload_of(whose);
    return decode_arguments<typename Job::Result>(*text, context, kLimitsOfStored);
  }
  // JobNotFound; StateChanged: it has ended.
  Cancelled cancel(const Uuid& id, const JobsOf& whose = {});
  // A dead, discarded or cancelled job is ready again, with its id and history and a new budget of attempts. JobNotFound; StateChanged for any
  // other; LimitReached: its unique key was taken; TenantDeleted, TenantNotReady, BadSeal, BadConfiguration.
  void retry(const Uuid& id, const JobsOf& whose = {});
  // Gives a scheduled or ready job another queue, priority or due time. JobNotFound; StateChanged for any other; BadOptions, LimitReached (too
  // many queues).
  void change(const Uuid& id, const JobChanges& changes, const JobsOf& whose = {});

  // The Global ID of a record, by its integer or text id, without a handle; the record is not looked up. Inside a scope `tenant` must be the
  // scope's: TenantSwapProhibited; BadGlobalId.
  template <class T, class Id>
  requires(!is_shared_model<T>()) [[nodiscard]] Ref<T> ref(const TenantName& tenant, const Id& id) const {
    return value_or_raise(Ref<T>::parse(gid_text(detail::model_name<T>(), detail::id_text(id), &tenant)));
  }
  template <class T, class Id>
  requires(!is_shared_model<T>()) [[nodiscard]] Ref<T> ref(std::string_view tenant, const Id& id) const {
    return ref<T>(TenantName(tenant), id);
  }
  // Of a model that is shared.
  template <class T, class Id>
  requires(is_shared_model<T>()) [[nodiscard]] Ref<T> ref(const Id& id) const {
    return value_or_raise(Ref<T>::parse(gid_text(detail::model_name<T>(), detail::id_text(id), nullptr)));
  }

  // Runs `function(JobTransaction&)` in one transaction of the handle's tenant, commits, and passes its value through: its writes and the
  // jobs that it enqueues are there together, on disk, or neither. What it throws undoes all of it. When this returns the jobs are in the
  // queue as a rule; where the control database could not be written at that moment, `tenured` brings them there within seconds, and at
  // its next start where it does not run.
  // Inside the tenant's scope. What begin() and commit() of a handle say (tenancy/handle.hpp), and what `function` throws; not an error of
  // the control database behind the commit.
  //   client.transaction(*lease, [&](tenure::JobTransaction& transaction) {
  //     transaction.execute("update invoice set sent = 1 where id = ?", id);
  //     transaction.enqueue(SendInvoice{transaction.ref<Invoice>(id)});
  //   });
  template <class Function>
  auto transaction(TenantHandle& handle, Function&& function) {
    constexpr bool kIsCalled = std::is_invocable_v<Function&, JobTransaction&>;
    static_assert(kIsCalled,
                  "tenure: what `transaction` is given is called as function(tenure::JobTransaction&).");
    if constexpr (kIsCalled) {
      using Returned = std::invoke_result_t<Function&, JobTransaction&>;
      if constexpr (std::is_void_v<Returned>) {
        run_transaction(handle, [&](JobTransaction& transaction) { function(transaction); });
      } else {
        std::optional<Returned> value;
        run_transaction(handle, [&](JobTransaction& transaction) { value.emplace(function(transaction)); });
        return *std::move(value);
      }
    }
  }

  // Opens a batch: jobs join it by {.batch = id} until it is closed, from wherever they are enqueued. It is on disk when this returns, and so
  // it is with close_batch. IdConflict (the id is that of another batch), BadOptions, and of its callbacks and tenant what enqueue says.
  BatchId open_batch(const BatchOptions& options = {});
  // No more jobs: it is complete when all that it has have ended, which may be now. Once more it does nothing. RecordNotFound.
  void close_batch(BatchId batch);
  // Nothing: there is none, or it was removed with its members.
  [[nodiscard]] std::optional<BatchStatus> batch(BatchId batch);
  // Opens a batch, adds what `fill` enqueues and closes it, in one commit: all is there, or nothing.
  //   client.enqueue_batch({.name = "import", .on_complete = SendReport{}}, [&](tenure::BatchJobs& jobs) {
  //     for (const File& file : files) jobs.enqueue(ImportFile{file.name});
  //   });
  template <class Function>
  BatchId enqueue_batch(const BatchOptions& options, Function&& fill) {
    return fill_batch(options, [&](BatchJobs& jobs) { fill(jobs); });
  }

  // Starts a fan-out: `tenured` makes a job for each active tenant that there is now, in its scope. It is on disk when this returns. The id
  // of the one that is unfinished under its key, where there is one. Outside of every tenant's scope, as the three below:
  // TenantSwapProhibited. IdConflict (the id is that of a batch), BadOptions, LimitReached, and of the job what enqueue says; its arguments
  // name no tenant's records (NoTenant).
  //   client.for_each_tenant(RebuildIndex{}, {.key = "rebuild", .over = 1h, .rate = StartRate{.starts = 5}, .on_complete = Report{}});
  template <JobType Job>
  BatchId for_each_tenant(const Job& job, const FanOutOptions& options = {}) {
    return start_fan_out(detail::job_kind_of<Job>(), &job, options);
  }
  // Nothing: there is none, or it was removed with its jobs.
  [[nodiscard]] std::optional<FanOutStatus> fan_out(BatchId fan_out);
  // A page in the order of visits, from behind `after`, a FanOutTenant::place; empty: there are no more. Jobs that were removed are not there.
  [[nodiscard]] std::vector<FanOutTenant> fan_out_tenants(BatchId fan_out, FanOutTenants which,
                                                          std::int64_t after = 0, std::size_t limit = 1000);
  // No more jobs are made, and those that have not started are cancelled; what has started ends by its own rules. RecordNotFound;
  // StateChanged: it is complete, or cancelled.
  void cancel_fan_out(BatchId fan_out);

  // The application's tenants: make and open them (tenancy/tenants.hpp). It lives as long as the client and moves with it; leases may
  // outlive both. BadConfiguration for a client over a store.
  [[nodiscard]] Tenants& tenants();

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  Uuid enqueue_one(const detail::JobKind& kind, const void* job, const EnqueueOptions& options);
  std::vector<BulkItem> enqueue_many(const detail::JobKind& kind, const void* jobs, std::size_t count,
                                     const EnqueueOptions& options, BulkRule rule);
  BatchId start_fan_out(const detail::JobKind& kind, const void* job, const FanOutOptions& options);
  BatchId fill_batch(const BatchOptions& options, FunctionRef<void(BatchJobs&)> fill);
  void run_transaction(TenantHandle& handle, FunctionRef<void(JobTransaction&)> function);
  [[nodiscard]] std::optional<std::string> result_text(const detail::JobKind& kind, const Uuid& id,
                                                       const JobsOf& whose);
  [[nodiscard]] TenantPayloadContext payload_of(const JobsOf& whose) const;
  [[nodiscard]] std::string gid_text(std::string_view model, std::string_view id,
                                     const TenantName* tenant) const;
  // One that its calls may outlive.
  [[nodiscard]] std::shared_ptr<detail::AsyncCalls> async_calls();

  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure
