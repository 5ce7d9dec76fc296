#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/strong.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The words of the queue. Values of enums are stored: never renumber; a new one takes the next number and, for states,
// a line in transitions.hpp.
namespace tenure::queue {

// A job's name everywhere outside the store, for life.
struct JobId {
  Uuid uuid;
  friend auto operator<=>(const JobId&, const JobId&) = default;
  [[nodiscard]] std::string text() const { return uuid.text(); }
};

// A job's row. Grows in commit order; never leaves the store and the dispatcher.
using JobSeq = Strong<struct JobSeqTag, std::int64_t>;
using QueueNumber = Strong<struct QueueNumberTag, std::int64_t>;
using KindNumber = Strong<struct KindNumberTag, std::int64_t>;
// Lower runs first. -100 to 100.
using Priority = Strong<struct PriorityTag, int>;
// One life of a dispatcher on this control database; grows for ever. Also names the holder of a claim.
using Incarnation = Strong<struct IncarnationTag, std::int64_t>;
// A worker process, numbered by its dispatcher from 1; never used again in that incarnation.
using ProcessNumber = Strong<struct ProcessNumberTag, std::int64_t>;

// Jobs outside every tenant are those of this number: one flow in the fair order.
inline constexpr TenantNumber kUntenanted{0};

// Who runs a job now. Every write after the claim is conditional on it.
struct ClaimToken {
  Incarnation incarnation;
  std::int64_t counter = 0;
  friend auto operator<=>(const ClaimToken&, const ClaimToken&) = default;
};

// `running` (ready, with a claim) and `held` (ready, its lane is gated) are shown, never stored.
enum class JobState : std::uint8_t {
  scheduled = 1,
  ready = 2,
  blocked = 3,
  succeeded = 4,
  dead = 5,
  discarded = 6,
  cancelled = 7,
};
[[nodiscard]] std::string_view name_of(JobState state);
[[nodiscard]] std::optional<JobState> job_state_named(std::string_view name);
[[nodiscard]] constexpr bool is_final(JobState state) { return state >= JobState::succeeded; }

// Why a job is in its state, where the state alone does not say it. Those from 100 on are shown, never stored: up to 149 they say why a
// ready job is held, and those behind why one does not start that nothing holds (why.hpp).
enum class JobReason : std::uint8_t {
  none = 0,
  not_due = 1,             // scheduled: enqueued for later
  retry_wait = 2,          // scheduled: after a failure
  envelope_newer = 3,      // blocked: written by a newer program
  attempts_exhausted = 4,  // dead
  permanent_error = 5,     // dead: an error that no retry can heal
  poison = 6,              // dead: it ended its worker process too often
  expired = 7,             // discarded: its start-before time had passed
  by_rule = 8,             // discarded or dead: a rule of its kind, or its handler
  by_operator = 9,
  suspect = 10,           // blocked: the daemon died while it held the job, which starts alone next
  limit_key = 11,         // blocked: its concurrency key is taken, or others wait for it before this one
  schedule_overlap = 12,  // blocked: another job of its schedule has not ended
  put_off = 13,  // scheduled: its handler has said when it runs again, or its kind waits longer than others
  time_exhausted = 14,  // dead: the time for its retries is over
  generation = 15,      // blocked: its tenant was restored from a copy, and is of a later generation
  kind_unknown =
      100,  // no live worker process of the pools that list its queue has named the kind in its hello
  queue_without_pool = 101,   // no pool lists its queue
  pool_without_worker = 102,  // the pools that list its queue have no live worker process
  tenant_paused = 103,
  tenant_read_only = 104,  // kinds cannot say yet that they only read
  tenant_not_ready = 105,  // provisioning, migrating, failed or draining
  tenant_deleted = 106,    // of its generation
  queue_paused = 107,      // by an operator, and so the next
  kind_paused = 108,
  limit_cap = 109,   // as many as a limit allows run already (limit_rule.hpp)
  limit_rate = 110,  // as many as a limit allows have started lately
  schema_behind =
      112,  // each live worker process that knows the kind wants more migrations than its tenant has had
  tenant_without_pool = 116,  // every pool that lists its queue leaves its tenant out
  no_dispatcher = 150,        // none is seen to run
  tenant_busy = 151,          // jobs of its tenant have been given back, and it is left alone for a while
  tenant_turn = 152,          // others come first
  row_refused = 153,          // its row holds what no job has
  slots_full = 154,           // all slots of the pools that perform it are taken
  slots_reserved = 155,       // those that are free are kept for better priorities
};
[[nodiscard]] std::string_view name_of(JobReason reason);
[[nodiscard]] std::optional<JobReason> job_reason_named(std::string_view name);

// How one attempt ended, for the rows of those that did not succeed.
enum class AttemptOutcome : std::uint8_t {
  failed = 1,
  released = 2,     // given back, costs nothing
  interrupted = 3,  // its worker process, or the daemon, ended under it
  lost = 4,         // finished after its claim had gone
};
[[nodiscard]] std::string_view name_of(AttemptOutcome outcome);

// What the end of its worker process, or of the daemon, costs a job that was running in it. Whoever ends the claim has counted and decided.
enum class CrashCharge : std::uint8_t {
  none,     // ready again
  counted,  // one crash more, ready again
  poison,   // one crash more, and the last: dead
};

// The ready jobs of one (queue, priority, tenant, kind).
struct Lane {
  QueueNumber queue;
  Priority priority;
  TenantNumber tenant;
  KindNumber kind;
  friend auto operator<=>(const Lane&, const Lane&) = default;
};

// A job's place inside its lane: due time, then sequence.
struct LanePlace {
  WallTime due{};
  JobSeq seq;
  friend auto operator<=>(const LanePlace&, const LanePlace&) = default;
};

}  // namespace tenure::queue
