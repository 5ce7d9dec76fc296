#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/base/sqlite/migration.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/run_notes.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenure {

namespace detail {
class OldReceipts;
class RunCapture;
class SeenOutboxes;
class TenantSchemas;
}  // namespace detail

// Where capsules of runs go that are asked for one (AssignedJob::capture).
struct CaptureOptions {
  std::filesystem::path folder = {};  // empty: none is taken
  replay::CapsuleLimits limits = {};
  std::string program_version = {};  // of the worker program
};

struct PerformerOptions {
  std::string application;
  queue::Mask mask = {};                              // of what errors and progress of a run may not quote
  KeyRing keys = {};                                  // with a current one each envelope must have its seal
  std::size_t payload_max = limits::kPayloadDefault;  // of the envelopes of jobs that handlers enqueue, bytes
  CaptureOptions capture = {};
  // Of the application: a job of a tenant whose database has not had all of them does not start, PendingMigration; of one that has had more,
  // TenantUnavailable. Empty: not asked.
  std::vector<sqlite::Migration> migrations = {};
  // Jobs queue::kMigrateKind are performed: they carry these out in their tenants, with the code that the registry has.
  bool migrate_on_touch = false;
  // Called where a handler is entered: tenant, seal and arguments of its job are in order. Must not throw.
  std::function<void()> on_begin = {};
  // Called with the sentence of each warning that a handler has left a scope, transaction, snapshot or cursor open. Must not throw.
  std::function<void(const std::string& sentence)> on_left_open = {};
};

// Of the registry, and Tenure's own kind for migrations where these options want it and each of them that has code has it here.
[[nodiscard]] std::vector<JobRegistry::Kind> offered_kinds(const JobRegistry& jobs,
                                                           const PerformerOptions& options);

// Performs jobs: compares seal, column, envelope and scope, decodes inside the tenant's scope, checks every Global ID, calls the
// handler, and sees to it that nothing of one job reaches the next.
// Threads: perform() from any number at once; the thread has no tenant before and after.
class Performer {
 public:
  // All must outlive it.
  Performer(const JobRegistry& jobs, HandleCache& handles, const Clock& clock, PerformerOptions options);
  ~Performer();
  Performer(const Performer&) = delete;
  Performer& operator=(const Performer&) = delete;

  // One run of it, from now to its end; never `not_started`, and `expired` where it would begin behind its start_before. Whatever a handler throws is a failure and never leaves. Where a capsule is
  // wished for, it is written after the run; what goes wrong with it is told and never the job's failure.
  // `stop` is behind the handler's stop token; what the handler tells of its run goes into `notes`.
  [[nodiscard]] queue::AttemptEnd perform(const queue::AssignedJob& job, const queue::StopSignal& stop,
                                          queue::RunNotes& notes);

  // Deletes the rows of that outbox up to the watermark, which are jobs by now. Nothing is thrown: what stays is passed over by
  // whoever finds it.
  void clear_outbox(const queue::OutboxOwner& owner, queue::OutboxSeq watermark) noexcept;

  // Receipts of jobs of that tenant with ids below `horizon` may go as soon as they are old enough: what the daemon says beside a job.
  void receipt_horizon_is(const queue::OutboxOwner& owner, queue::JobId horizon);

 private:
  // What is left of a run when its handler has.
  struct Left {
    std::optional<queue::OutboxReport> outbox = {};
    detail::RunCapture* capture = nullptr;  // null: no capsule is wished for
    std::exception_ptr thrown = {};         // by the handler
    std::optional<std::string> returned = {};
  };
  void run(const queue::AssignedJob& job, const queue::StopSignal& stop, queue::RunNotes& notes, Left& left);
  [[nodiscard]] bool is_migration(const queue::AssignedJob& job) const;
  void migrate(const queue::AssignedJob& job, const std::string& arguments, Left& left);

  const JobRegistry& jobs_;
  HandleCache& handles_;
  const Clock& clock_;
  PerformerOptions options_;
  std::unique_ptr<detail::SeenOutboxes> seen_outboxes_;
  std::unique_ptr<detail::OldReceipts> old_receipts_;
  std::unique_ptr<detail::TenantSchemas> schemas_;
};

}  // namespace tenure
