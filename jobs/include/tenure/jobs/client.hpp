#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {

// What an application says when it makes a client by hand; Client::open takes it from the configuration.
struct ClientOptions {
  std::string application = "tenure";
  queue::Durability durability = queue::Durability::durable;
  std::filesystem::path wake_path = {};  // the control database whose daemon is told; empty: nobody is
};

// Whether a bulk with bad items stores the good ones.
enum class BulkRule : std::uint8_t { store_good_ones, all_or_nothing };

// One item of a bulk enqueue, in input order: its id, or why it was refused.
struct BulkItem {
  Uuid id;
  std::optional<Failure> failure;
};

// Enqueues jobs, with the daemon up or down. The tenant is captured at the call: from with_tenant, or from the options;
// every Global ID inside the arguments is compared with it. When an enqueue returns, the job is on disk (with the default
// durability); when it throws, nothing of it is stored, except that after DiskSyncFailed the outcome is unknown and
// the same id may be enqueued again.
// Threads: every method from any thread; callers that come at the same time share a commit and its sync.
class Client {
 public:
  // Reads the configuration and opens the control database, which `tenured` or `tenure tenant create` has made.
  // BadConfiguration, DatabaseMissing, SchemaMismatch.
  [[nodiscard]] static Client open(const std::filesystem::path& config_file);
  // Over a store of the caller's; both must outlive it. There are no tenants() then.
  Client(queue::Store& store, const Clock& clock, ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Returns the job's id. NoTenant (no scope, and not untenanted), TenantSwapProhibited, TenantDoesNotExist, TenantDeleted,
  // TenantNotReady, WrongTenant (an id of another tenant, named by its path), BadPayload, PayloadTooLarge, BadOptions,
  // IdConflict, StoreBusy.
  template <JobType Job>
  Uuid enqueue(const Job& job, const EnqueueOptions& options = {}) {
    return enqueue_one(draft<Job>(job, options));
  }

  // One commit for at most 10,000 jobs of one kind, and one hint to the daemon. `options.id` must be empty.
  // With all_or_nothing the first bad item's error is thrown and nothing is stored.
  template <JobType Job>
  std::vector<BulkItem> enqueue_all(std::span<const Job> jobs, const EnqueueOptions& options = {},
                                    BulkRule rule = BulkRule::store_good_ones) {
    return enqueue_drafts(jobs.size(), options, rule,
                          [&](std::size_t index) { return draft<Job>(jobs[index], options); });
  }

  // The application's tenants: make and open them. BadConfiguration for a client over a store.
  [[nodiscard]] Tenants& tenants();

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);

  template <JobType Job>
  queue::NewJob draft(const Job& job, const EnqueueOptions& options) {
    check_kind(Job::kind);
    queue::NewJob draft = address(Job::kind, effective_options(options_of<Job>(), options), options);
    TenantPayloadContext payload{application(), draft.tenant};
    draft.arguments = encode_arguments(job, payload);
    return draft;
  }

  // Everything of the job but its arguments: id, tenant, times.
  [[nodiscard]] queue::NewJob address(std::string_view kind, const JobOptions& effective,
                                      const EnqueueOptions& options);
  Uuid enqueue_one(const queue::NewJob& job);
  std::vector<BulkItem> enqueue_drafts(std::size_t count, const EnqueueOptions& options, BulkRule rule,
                                       FunctionRef<queue::NewJob(std::size_t)> make_draft);
  [[nodiscard]] const std::string& application() const;

  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure
