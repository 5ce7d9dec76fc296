#pragma once

#include <tenure/queue/envelope.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/queue/transitions.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// What every store decides alike. Internal.
namespace tenure::queue {

// Kinds `tenure.*` are for what Tenure makes by itself.
enum class MadeBy : std::uint8_t { others, tenure };
// BadOptions: names, priority, attempts, a kind of Tenure's own. The client has checked them for its user; the store is the last who can.
[[nodiscard]] Result<void> check_new_job(const NewJob& job, MadeBy by = MadeBy::others);
// Sealed where there is a key.
[[nodiscard]] Envelope envelope_of(const NewJob& job, Generation generation, const KeyRing& keys);
// `bytes`: of the envelope as it is written. Its seal does not count. PayloadTooLarge.
[[nodiscard]] Result<void> check_payload_size(const Envelope& envelope, std::size_t bytes,
                                              std::size_t bytes_max);

// Whether new jobs are accepted: TenantNotReady, TenantDeleted.
[[nodiscard]] Result<void> check_accepts_jobs(const TenantRecord& tenant);
// `wanted` 0 is whatever is there: StaleGeneration.
[[nodiscard]] Result<void> check_generation(const TenantRecord& tenant, Generation wanted);
[[nodiscard]] tl::unexpected<Failure> unknown_tenant(const TenantName& tenant);
[[nodiscard]] tl::unexpected<Failure> deleted_tenant(const TenantName& tenant, Generation generation);
[[nodiscard]] tl::unexpected<Failure> tenant_exists(const TenantRecord& tenant);
// The row that `activate` finds must be the one that it was told to, and provisioning.
[[nodiscard]] Result<void> check_activation(const std::optional<TenantRecord>& newest,
                                            const TenantName& tenant, Generation generation);
[[nodiscard]] tl::unexpected<Failure> stale_generation(const TenantName& tenant, Generation asked,
                                                       Generation live);

[[nodiscard]] bool may_be_claimed(TenantState state);

// State and reason of a record, from those that are stored. Its tenant's state, its claim and what is refused of it are filled in; the
// gate of its lane comes with show_gate().
void show_state(JobRecord& job, JobState state, JobReason reason);
// A job that is ready so far is held by its lane's gate, if there is one.
void show_gate(JobRecord& job, JobReason gate);
// Whether a limit does.
[[nodiscard]] bool is_held_by_limit(const JobRecord& job);

// Succeeded jobs are in no index: where a filter can only find them by looking at each and there are more than `looks_max` rows, the
// sequence up to which they are not looked at.
[[nodiscard]] std::optional<JobSeq> succeeded_floor(const Filter& filter, JobSeq last,
                                                    std::int64_t looks_max);

// LimitReached. `what` is "queues" or "kinds".
[[nodiscard]] tl::unexpected<Failure> too_many(std::string_view what);
[[nodiscard]] tl::unexpected<Failure> claim_lost(ClaimRef claim);
[[nodiscard]] tl::unexpected<Failure> no_such_job(JobId id);
[[nodiscard]] tl::unexpected<Failure> id_conflict(JobId id);
[[nodiscard]] tl::unexpected<Failure> wrong_state(std::string_view verb, JobState from, JobState to);

// A job that an operator has named, as it stands.
struct OperatorSees {
  JobState state = JobState::ready;
  JobReason reason = JobReason::none;
  bool is_running = false;
};
// StateChanged: the table of transitions has nothing from where it stands, or it runs, or is to be discarded and has not failed.
[[nodiscard]] Result<void> check_operator(Transition transition, JobId id, const OperatorSees& job,
                                          JobState to);
// StateChanged for what does not run.
[[nodiscard]] Result<void> check_running(JobId id, const OperatorSees& job);
// What a changed job is: without a new due time what it was.
struct ChangedTo {
  JobState state = JobState::ready;
  JobReason reason = JobReason::none;
};
[[nodiscard]] ChangedTo after_change(const JobChange& change, const OperatorSees& before, WallTime now);
// BadOptions.
[[nodiscard]] Result<void> check_change(const JobChange& change);

// A job's row as a copy is made of it.
struct CopiedRow {
  std::optional<TenantName> tenant;
  Generation generation;
  std::string queue;
  std::string kind;
  Priority priority;
  int attempts_max = 0;
  std::string envelope;
  std::optional<ConcurrencyKey> concurrency = {};
};
struct Copy {
  NewJob job;
  bool may_be_sealed = false;  // the seal of the original is right
};
// NewerEnvelope; BadPayload where the envelope is none or says another job than the row; BadSeal where a key is in force.
[[nodiscard]] Result<Copy> copy_of(JobId id, CopiedRow row, const SealMarks& in_force, const KeyRing& keys,
                                   JobId copy, WallTime now);
// Of the envelope of a job that would run again, where a key is in force: BadConfiguration (it is none of ours), BadSeal.
[[nodiscard]] Result<void> check_seal_of_retry(std::string_view envelope, const SealMarks& in_force,
                                               const KeyRing& keys);
// StateChanged for what has not ended.
[[nodiscard]] Result<void> check_deletion(JobId id, const OperatorSees& job);
// LimitReached.
[[nodiscard]] tl::unexpected<Failure> newest_job_stays(JobId id);

// How a run may end by `finish`: StateChanged for a state that finish cannot give.
[[nodiscard]] Result<Transition> ending(JobState state);
// A run that was cancelled or never started is no failure of the job.
[[nodiscard]] bool counts_as_failure(JobState state, JobReason reason);

// What is kept of an error: UTF-8, no NUL, at most limits::kErrorTextMax bytes, cut between characters.
[[nodiscard]] std::string kept_error(std::string_view text);
[[nodiscard]] AttemptFailure reclaimed_from_former_holder();

}  // namespace tenure::queue
