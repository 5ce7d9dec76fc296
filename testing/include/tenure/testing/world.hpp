#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/tenancy/tenants.hpp>
#include <tenure/testing/faults.hpp>
#include <tenure/testing/runs.hpp>
#include <tenure/testing/where.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::queue {
class Store;
struct NewLimit;
struct ScheduleEntry;
}  // namespace tenure::queue
namespace tenure::testing::detail {
class CrashRuns;
}

// A world of its own for each test of an application: a queue, tenants with databases, a clock that stands still, and whoever performs
// jobs, all in this process and on this thread. Decisions are production's: jobs go through client, envelope and codec, a real
// dispatcher claims them, a real performer runs them inside their tenant's scope over real databases. Of production there are missing:
// processes, sockets, and whatever takes real time. It needs no test framework: job_test.hpp has a fixture for GoogleTest.
namespace tenure::testing {

// The tenant that is there and current where a test names none.
inline constexpr std::string_view kDefaultTenant = "test";

struct WorldOptions {
  std::string application = "test";                // of Global IDs and stamps: [a-z0-9][a-z0-9_-]{0,62}
  std::vector<sqlite::Migration> migrations = {};  // of each tenant, once a process; see read_migrations
  bool migrate_on_touch =
      false;  // a job that waits for a migration of its tenant starts one, a job tenure.migrate
  // Queues from which jobs are performed, the first one first. Empty: those to which the kinds of jobs() go by default, and "default", by
  // their names. A job in any other queue waits for ever, as it does where no pool lists its queue.
  std::vector<std::string> queues = {};
  WallTime start = from_us(1'700'000'000'000'000);  // of the clock
  std::uint64_t seed = 1;                           // of the jitter in retries
  // In which folder the world's own one is made; empty: where temporary files go (TMPDIR).
  std::filesystem::path folder = {};
};

// Threads: the one that made it, but for client() and tenants(), which any thread may use as long as the world lives. Several worlds do not
// meet, in one process or many; on one thread they nest like scopes do.
class World {
 public:
  // Makes the default tenant and enters its scope. What read_migrations and Tenants::create say of migrations, BadConfiguration,
  // DiskError.
  explicit World(WorldOptions options = {});
  // Removes all that it has on disk. What was left open is left to finish().
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // What the application uses. The registry is where it adds its handlers, before the first job is performed.
  [[nodiscard]] JobRegistry& jobs();
  [[nodiscard]] Client& client();
  [[nodiscard]] Tenants& tenants();
  // Moved by hand it performs nothing; advance() does.
  [[nodiscard]] VirtualClock& clock();
  // For questions that `enqueued` does not answer.
  [[nodiscard]] queue::Store& store();
  // Of its own; tenants' databases are in it.
  [[nodiscard]] const std::filesystem::path& folder() const;

  // Makes a tenant with the application's tables, by copying one that was migrated; active, on no disk for sure. TenantExists.
  TenantRecord make_tenant(const TenantName& name);
  // The same as an older version of the application has made it: with its first `schema` migrations. Its jobs wait, PendingMigration, until
  // it is migrated.
  TenantRecord make_tenant_of(const TenantName& name, std::int64_t schema);
  // What `tenure tenant migrate` does, with the code that jobs() has for its steps; what migrate_tenant says.
  TenantMigrated migrate(const TenantName& name);
  // For tests that know about tenants: makes these, and none is current from now on. The default tenant stays and is as good as any.
  // with_tenants("acme", "bolt")
  template <std::convertible_to<std::string_view>... Names>
  void with_tenants(const Names&... names) {
    leave_default_tenant();
    (static_cast<void>(make_tenant(TenantName{std::string_view{names}})), ...);
  }

  // Adds a schedule (tenure/queue/schedule.hpp). Its ticks fire as time passes: advance() performs their jobs at their moments. BadOptions,
  // BadPayload, IdConflict.
  void schedule(const queue::ScheduleEntry& entry);

  // Sets a limit (tenure/queue/limit_rule.hpp), as an operator does: it holds for the jobs that are performed from now on. What it keeps is
  // held, and with a rate performed by advance() when it may start. BadOptions, LimitReached.
  void limit(const queue::NewLimit& limit);

  // Performs what is due at this moment, once each, in the order in which production would: no job that comes meanwhile, and nothing a
  // second time. Time stands still. Not inside a handler (std::logic_error). LoopGuardReached.
  Runs drain(const DrainOptions& options = {});
  // The same until nothing is due, with what the jobs themselves enqueue.
  Runs drain_all(const DrainOptions& options = {});
  // Time passes while jobs are performed: each at the moment at which it is due, the first one first. At least 0. What drain_all says.
  Runs advance(std::chrono::microseconds time, const DrainOptions& options = {});
  // From now on each job that is due is performed, with all that follows, before the call returns that has enqueued it: for tests of code
  // that waits for nothing. Enqueued by another thread a job waits for the next drain, and so does one that finds its tenant busy, since this
  // thread has a transaction open there. Inside of a tenant's scope jobs of other tenants wait: what drains plays a daemon, to which no
  // scope is anything, and what is performed inline belongs to whoever calls.
  void perform_inline(bool is_on = true);
  // Performs this one job now, whatever else is due, and returns its run. It does not look whether the run has failed: that is in it.
  // Inside the job's own tenant, outside of every tenant, and an untenanted job anywhere; the scope of the caller is as it was,
  // however the run has ended. Refused before anything has changed: TenantSwapProhibited inside of another tenant, StaleGeneration inside of
  // another generation, JobNotFound, StateChanged (it has ended, is not due, or may not start now). Not inside a handler
  // (std::logic_error).
  JobRun perform_now(const Uuid& id);

  // Whether the queue holds such jobs, which have not ended:
  //   world.enqueued<SendInvoice>({.tenant = "acme", .that = [](const SendInvoice& job) { return job.reminder == 2; }})
  template <JobType Job>
  [[nodiscard]] Matched enqueued(const Where<Job>& where = {}) const {
    return match(detail::criteria(detail::Stage::waiting, where));
  }
  // Whether such jobs have succeeded.
  template <JobType Job>
  [[nodiscard]] Matched performed(const Where<Job>& where = {}) const {
    return match(detail::criteria(detail::Stage::performed, where));
  }
  // The jobs themselves, in the order in which they came.
  template <JobType Job>
  [[nodiscard]] std::vector<Found<Job>> all_enqueued(const Where<Job>& where = {}) const {
    return found<Job>(detail::criteria(detail::Stage::waiting, where));
  }
  template <JobType Job>
  [[nodiscard]] std::vector<Found<Job>> all_performed(const Where<Job>& where = {}) const {
    return found<Job>(detail::criteria(detail::Stage::performed, where));
  }
  // All runs so far.
  [[nodiscard]] const Runs& runs() const;

  [[nodiscard]] Faults& faults();

  // Ends the test: what is wrong with it besides what it has checked itself, a sentence each. A scope, handle or transaction that it or a
  // handler has left open, by tenant or kind; a fault that was asked for and has not happened. Leaves all scopes. A second call tells
  // nothing twice. The fixture of job_test.hpp calls it.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  friend class Faults;
  friend class detail::CrashRuns;
  struct Impl;
  void leave_default_tenant();
  [[nodiscard]] Matched match(const detail::Criteria& criteria) const;
  [[nodiscard]] std::vector<detail::Candidate> matching(const detail::Criteria& criteria) const;
  template <JobType Job>
  [[nodiscard]] std::vector<Found<Job>> found(const detail::Criteria& criteria) const {
    std::vector<Found<Job>> jobs;
    for (detail::Candidate& job : matching(criteria))
      jobs.push_back({detail::decoded<Job>(job.arguments), std::move(job.record)});
    return jobs;
  }
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::testing
