#pragma once

#include "job_run.hpp"
#include "run_tape.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <optional>

namespace tenure::detail {

// The capture of one run: a snapshot of its tenant that is held while it goes on, and what it is given and does meanwhile. Where the run
// ends as was wished, that becomes a capsule; otherwise all of it is dropped. Whatever goes wrong is why there is none, and never leaves.
// Threads: the run's.
class RunCapture {
 public:
  // All must outlive it. `job` has a wish.
  RunCapture(const queue::AssignedJob& job, const queue::StopSignal& stop, const PerformerOptions& options,
             HandleCache& handles, const Clock& clock);

  [[nodiscard]] RunTape& tape() { return tape_; }
  // Before the handler, in the job's scope.
  void begin(JobRun& run) noexcept;
  // After it, in the job's scope, while the run's lease is there.
  void handler_ended(JobRun& run) noexcept;
  // At the end, outside of every scope. Nothing where the run has not ended as was wished.
  [[nodiscard]] std::optional<queue::TakenCapsule> finish(
      const std::optional<queue::AttemptFailure>& failure) noexcept;

 private:
  void guard(FunctionRef<void()> work) noexcept;
  // TimeLimit where the run's limit is near, at which its process would be ended; Interrupted a while behind its stop token.
  void require_time();
  void require_no_stop();
  void write(const std::optional<queue::AttemptFailure>& failure, queue::TakenCapsule& taken);

  const queue::AssignedJob& job_;
  const queue::StopSignal& stop_;
  const PerformerOptions& options_;
  HandleCache& handles_;
  const Clock& clock_;
  const WallTime started_;
  const Instant began_;
  RunTape tape_;
  bool has_begun_ = false;
  std::optional<Instant> stop_seen_;
  std::optional<Failure> trouble_;  // why there can be none
  std::optional<HandleLease> lease_;
  std::optional<TenantSnapshot> before_;
};

}  // namespace tenure::detail
