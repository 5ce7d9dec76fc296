#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/random.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>

namespace tenure::queue {

// n^4 + 15 s + up to 30 n s of jitter after failure n (1, 2, ...), at most six hours in all. The shape is Sidekiq's, which has
// spread retries of broken third parties well for a decade; the cap is ours.
[[nodiscard]] std::chrono::microseconds retry_wait(int failure, Random& random);

inline constexpr std::chrono::hours kRetryWaitMax{6};

// What becomes of a job after a failed attempt.
struct AfterFailure {
  enum class Verdict : std::uint8_t { retry, dead, release };
  Verdict verdict = Verdict::retry;
  JobReason reason = JobReason::none;
};

// `failures` counts this one. Permanent errors of ours are final at once, transient tenant errors cost no attempt,
// and what a handler threw is retried until the attempts are used up.
[[nodiscard]] AfterFailure after_failure(ErrorCode code, int failures, int attempts_max);

}  // namespace tenure::queue
