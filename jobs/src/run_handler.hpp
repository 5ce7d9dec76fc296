#pragma once

#include "job_run.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/jobs/registry.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/tenancy/scope.hpp>

#include <cstddef>
#include <optional>

// What performing a job and replaying one have in common.
namespace tenure::detail {

// A thread that performs has no tenant before and after.
class EmptyThread {
 public:
  EmptyThread() { TENURE_INVARIANT(scope_depth() == 0); }
  ~EmptyThread() { leave_all_scopes(); }
  EmptyThread(const EmptyThread&) = delete;
  EmptyThread& operator=(const EmptyThread&) = delete;
};

// Where ids and times of the jobs come from that a run enqueues, and who is told of them. `tape` may be null, and outlives the run.
[[nodiscard]] JobDrafting drafting_of_run(const std::string& application, const queue::Mask& mask,
                                          const Clock& clock, RunTape* tape);
// `keys` must outlive it.
[[nodiscard]] OutboxWriter::Means outbox_means_of_run(std::size_t payload_max, const KeyRing& keys,
                                                      RunTape* tape);

// Calls the handler and reports what it left open; then calls `ended`, however it has ended, before what it threw goes on.
void run_handler(const JobRegistry::Runner& runner, JobRun& run, FunctionRef<void()> ended);

// What no text about a run of it may quote. Of an envelope that cannot be read nothing was decoded that could be quoted.
[[nodiscard]] queue::Secrets secrets_of(const queue::AssignedJob& job, const queue::Mask& mask);

// What `run` throws, as it may be told of the job: whatever it quotes, no secret of the arguments. Nothing: it has succeeded.
[[nodiscard]] std::optional<queue::AttemptFailure> failure_of(const queue::AssignedJob& job,
                                                              const queue::Mask& mask,
                                                              const queue::StopSignal& stop,
                                                              FunctionRef<void()> run);

}  // namespace tenure::detail
