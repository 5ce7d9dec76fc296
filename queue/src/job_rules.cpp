#include "job_rules.hpp"

#include "job_key_rules.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/lane_gate.hpp>

#include <utility>

namespace tenure::queue {
namespace {

constexpr std::string_view kOwnKinds = "tenure.";

std::string_view verb_of(Transition transition) {
  const std::string_view name = name_of(transition);
  return name.substr(0, name.find('_'));
}

tl::unexpected<Failure> is_running(JobId id) {
  return fail(ErrorCode::state_changed, "job " + id.text() + " is running");
}

Result<void> check_priority(Priority priority) {
  if (priority.value >= limits::kPriorityHighest && priority.value <= limits::kPriorityLowest) return {};
  return fail(ErrorCode::bad_options, "the priority " + std::to_string(priority.value) + " is outside " +
                                          std::to_string(limits::kPriorityHighest) + " to " +
                                          std::to_string(limits::kPriorityLowest));
}

}  // namespace

Result<void> check_new_job(const NewJob& job, MadeBy by) {
  if (auto queue = check_name(NameOf::queue, job.queue); !queue) return queue;
  if (auto kind = check_name(NameOf::kind, job.kind); !kind) return kind;
  if (by != MadeBy::tenure && job.kind.starts_with(kOwnKinds))
    return fail(ErrorCode::bad_options, "kind " + job.kind + ": those that begin with " +
                                            std::string{kOwnKinds} + " are Tenure's own");
  if (auto priority = check_priority(job.priority); !priority) return priority;
  if (job.attempts_max < 1 || job.attempts_max > limits::kAttemptsMax)
    return fail(ErrorCode::bad_options, std::to_string(job.attempts_max) + " attempts are outside 1 to " +
                                            std::to_string(limits::kAttemptsMax));
  return check_job_keys(job);
}

Envelope envelope_of(const NewJob& job, Generation generation, const KeyRing& keys) {
  Envelope envelope{job.id, job.tenant, generation, job.kind, job.arguments};
  if (keys.has_current()) envelope.seal = seal_of(envelope, keys);
  return envelope;
}

Result<void> check_payload_size(const Envelope& envelope, std::size_t bytes, std::size_t bytes_max) {
  if (envelope.seal) bytes -= kSealBytes;
  if (bytes <= bytes_max) return {};
  return fail(ErrorCode::payload_too_large, "the envelope of this " + envelope.kind + " has " +
                                                std::to_string(bytes) + " bytes; the store accepts " +
                                                std::to_string(bytes_max));
}

Result<void> check_accepts_jobs(const TenantRecord& tenant) {
  if (tenant.state == TenantState::draining)
    return fail(
        ErrorCode::tenant_not_ready,
        "tenant " + tenant.name.text() + " is draining and takes no new jobs: it is about to be deleted",
        tenant.name.text());
  if (tenant.state == TenantState::deleted) return deleted_tenant(tenant.name, tenant.generation);
  return {};
}

Result<void> check_generation(const TenantRecord& tenant, Generation wanted) {
  if (wanted.value == 0 || wanted == tenant.generation) return {};
  return stale_generation(tenant.name, wanted, tenant.generation);
}

tl::unexpected<Failure> unknown_tenant(const TenantName& tenant) {
  return fail(ErrorCode::tenant_does_not_exist, "there is no tenant " + tenant.text(), tenant.text());
}

tl::unexpected<Failure> deleted_tenant(const TenantName& tenant, Generation generation) {
  return fail(
      ErrorCode::tenant_deleted,
      "tenant " + tenant.text() + " was deleted; its last generation was " + std::to_string(generation.value),
      tenant.text());
}

tl::unexpected<Failure> stale_generation(const TenantName& tenant, Generation asked, Generation live) {
  return fail(ErrorCode::stale_generation,
              "this is for generation " + std::to_string(asked.value) + " of tenant " + tenant.text() +
                  ", which is at generation " + std::to_string(live.value) + " by now",
              tenant.text());
}

tl::unexpected<Failure> tenant_exists(const TenantRecord& tenant) {
  return fail(
      ErrorCode::tenant_exists,
      "there is a tenant " + tenant.name.text() + " already; it is " + std::string{name_of(tenant.state)},
      tenant.name.text());
}

Result<void> check_activation(const std::optional<TenantRecord>& newest, const TenantName& tenant,
                              Generation generation) {
  if (!newest)
    return fail(ErrorCode::stale_generation, "the row of tenant " + tenant.text() + " is gone",
                tenant.text());
  if (newest->generation != generation) return stale_generation(tenant, generation, newest->generation);
  if (newest->state != TenantState::provisioning)
    return fail(
        ErrorCode::stale_generation,
        "tenant " + tenant.text() + " is " + std::string{name_of(newest->state)} + ", not provisioning",
        tenant.text());
  return {};
}

bool may_be_claimed(TenantState state) { return tenant_gate(state) == JobReason::none; }

void show_state(JobRecord& job, JobState state, JobReason reason) {
  job.state = job.claim ? ShownState::running : static_cast<ShownState>(state);
  job.reason = state == JobState::ready ? JobReason::none : reason;
  if (!job.refused.empty()) show_gate(job, JobReason::row_refused);
  // Which jobs of a read-only tenant are held is said by their kinds.
  show_gate(job, tenant_gate(job.tenant_state, true));
}

void show_gate(JobRecord& job, JobReason gate) {
  if (job.state != ShownState::ready || gate == JobReason::none) return;
  job.state = ShownState::held;
  job.reason = gate;
}

bool is_held_by_limit(const JobRecord& job) {
  return job.state == ShownState::held &&
         (job.reason == JobReason::limit_cap || job.reason == JobReason::limit_rate);
}

std::optional<JobSeq> succeeded_floor(const Filter& filter, JobSeq last, std::int64_t looks_max) {
  if (last.value <= looks_max || !looks_at_succeeded(filter)) return std::nullopt;
  return JobSeq{last.value - looks_max};
}

tl::unexpected<Failure> too_many(std::string_view what) {
  return fail(ErrorCode::limit_reached, "the store has " + std::to_string(limits::kInternedMax) + " " +
                                            std::string{what} + ", which is its limit");
}

tl::unexpected<Failure> claim_lost(ClaimRef claim) {
  return fail(ErrorCode::claim_lost, "the claim " + std::to_string(claim.token.incarnation.value) + "." +
                                         std::to_string(claim.token.counter) + " of job row " +
                                         std::to_string(claim.seq.value) +
                                         " has moved on; nothing was changed");
}

tl::unexpected<Failure> no_such_job(JobId id) {
  return fail(ErrorCode::job_not_found, "there is no job " + id.text());
}

tl::unexpected<Failure> id_conflict(JobId id) {
  return fail(ErrorCode::id_conflict, "job " + id.text() + " is there already with other content");
}

tl::unexpected<Failure> wrong_state(std::string_view verb, JobState from, JobState to) {
  return fail(ErrorCode::state_changed, std::string{verb} + " cannot take a job from " +
                                            std::string{name_of(from)} + " to " + std::string{name_of(to)});
}

Result<void> check_operator(Transition transition, JobId id, const OperatorSees& job, JobState to) {
  if (job.is_running && !is_final(job.state)) return is_running(id);
  if (!is_allowed(transition, job.state, to)) return wrong_state(verb_of(transition), job.state, to);
  const bool has_run = job.reason == JobReason::retry_wait || job.reason == JobReason::put_off;
  if (transition == Transition::discard_by_operator && !has_run)
    return fail(ErrorCode::state_changed, "discard takes no job that has not failed");
  return {};
}

Result<void> check_running(JobId id, const OperatorSees& job) {
  if (job.is_running && !is_final(job.state)) return {};
  return fail(ErrorCode::state_changed, "job " + id.text() + " does not run");
}

// Whoever sets a time means that time: a retry's would be drawn in where it is far off.
ChangedTo after_change(const JobChange& change, const OperatorSees& before, WallTime now) {
  if (!change.due) return {before.state, before.state == JobState::ready ? JobReason::none : before.reason};
  if (*change.due <= now) return {JobState::ready, JobReason::none};
  return {JobState::scheduled, JobReason::not_due};
}

Result<void> check_change(const JobChange& change) {
  if (change.queue)
    if (auto queue = check_name(NameOf::queue, *change.queue); !queue) return queue;
  return change.priority ? check_priority(*change.priority) : Result<void>{};
}

Result<Copy> copy_of(JobId id, CopiedRow row, const SealMarks& in_force, const KeyRing& keys, JobId copy,
                     WallTime now) {
  auto envelope = read_envelope(row.envelope);
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  auto sealed = check_seal(*envelope, keys);
  if (!sealed && in_force.current) return tl::unexpected(std::move(sealed.error()));
  if (envelope->id != id || envelope->tenant != row.tenant || envelope->generation != row.generation ||
      envelope->kind != row.kind)
    return fail(ErrorCode::bad_payload, "WrongJob: the row and the envelope of job " + id.text() +
                                            " do not say the same job; it cannot be copied");
  return Copy{{.id = copy,
               .tenant = std::move(row.tenant),
               .generation = row.generation,
               .queue = std::move(row.queue),
               .kind = std::move(row.kind),
               .priority = row.priority,
               .due = now,
               .attempts_max = row.attempts_max,
               .arguments = std::move(envelope->arguments),
               .concurrency = std::move(row.concurrency)},
              sealed.has_value()};
}

// What cannot be read is refused by who would perform it.
Result<void> check_seal_of_retry(std::string_view envelope, const SealMarks& in_force, const KeyRing& keys) {
  if (!in_force.current) return {};
  if (auto fits = check_keys(in_force, keys); !fits) return fits;
  const auto read = read_envelope(envelope);
  return read ? check_seal(*read, keys) : Result<void>{};
}

Result<void> check_deletion(JobId id, const OperatorSees& job) {
  if (job.is_running) return is_running(id);
  if (is_final(job.state)) return {};
  return fail(ErrorCode::state_changed,
              "delete takes no job that is " + std::string{name_of(job.state)} + ", only one that has ended");
}

tl::unexpected<Failure> newest_job_stays(JobId id) {
  return fail(ErrorCode::limit_reached, "job " + id.text() +
                                            " is the newest of all, and stays until another one is enqueued: "
                                            "the number of the next is made from it");
}

Result<Transition> ending(JobState state) {
  for (const Transition transition : {Transition::die, Transition::discard, Transition::cancel})
    if (is_allowed(transition, JobState::ready, state)) return transition;
  return wrong_state("finish", JobState::ready, state);
}

bool counts_as_failure(JobState state, JobReason reason) {
  return state != JobState::cancelled && reason != JobReason::expired;
}

std::string kept_error(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string kept = to_utf8(cut_utf8(text, limits::kErrorTextMax));
  for (std::size_t at = kept.find('\0'); at != std::string::npos; at = kept.find('\0', at))
    kept.replace(at, 1, kReplacement);
  return std::string{cut_utf8(kept, limits::kErrorTextMax)};
}

AttemptFailure reclaimed_from_former_holder() {
  return {ErrorCode::interrupted, "The dispatcher that ran it ended."};
}

}  // namespace tenure::queue
