#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>

namespace tenure::queue {

// n^4 + 15 s + up to 30 n s of jitter after failure n (1, 2, ...), at most six hours in all: where that would pass them, six hours less
// the jitter, which is at most an hour, so that those that failed together do not meet at the cap. The shape is Sidekiq's, which has
// spread retries of broken third parties well for a decade; the cap is ours.
[[nodiscard]] std::chrono::microseconds retry_wait(int failure, Random& random);
// The longest that it can be.
[[nodiscard]] std::chrono::microseconds retry_wait_max(int failure);

inline constexpr std::chrono::hours kRetryWaitMax{6};

// What becomes of a job after a failed attempt.
struct AfterFailure {
  enum class Verdict : std::uint8_t { retry, dead, release };
  Verdict verdict = Verdict::retry;
  JobReason reason = JobReason::none;
};

// What is wrong with the world and not with the job: its tenant's file is missing, another's or damaged, the disk is full or
// broken. It costs no attempt, however often it is met, and the tenant's jobs wait until it is put right. A configuration that a handler's Client cannot use is one.
[[nodiscard]] bool is_trouble(ErrorCode code);

// Whether the tenant's other jobs wait, too, when one was given back for it, and longer each time: its state or file stands in the way, or
// what all runs need.
[[nodiscard]] bool pauses_tenant(ErrorCode code);

// What belongs to one tenant was met in another one or outside all, a row says something else than its envelope, or SQL wanted more than its tenant's
// database: a fault or an attack. Such a run is recorded in the audit.
[[nodiscard]] bool is_border_refusal(ErrorCode code);

// How often a handler may meet the busy control database and run again at no cost. It has perhaps acted before that, and would
// act for ever beside a store that is always busy.
inline constexpr int kStoreBusyFreeMax = 8;

struct JobBudget {
  int failures = 0;  // with this one
  int attempts_max = 0;
  int releases = 0;
};

// What the registry or the job itself says is final at once, trouble and transient tenant errors cost no attempt, and what a handler
// threw is retried until the attempts are used up.
[[nodiscard]] AfterFailure after_failure(ErrorCode code, const JobBudget& job);

}  // namespace tenure::queue
