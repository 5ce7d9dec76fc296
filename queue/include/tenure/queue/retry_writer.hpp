#pragma once

#include <tenure/base/error.hpp>
#include <tenure/queue/run.hpp>

#include <string>

namespace tenure::queue {

// When a job whose run has failed runs again, and what counts that failure.
struct Retry {
  WallTime due{};
  JobReason reason = JobReason::retry_wait;  // or put_off: nobody draws that in
  std::string rule = {};                     // empty: none
};

// A part of StoreWriter: ends of a claim behind which its job waits for its time.
class RetryWriter {
 public:
  virtual ~RetryWriter() = default;

  // Counts a failure, and one of its rule; scheduled. ClaimLost, as the other ends.
  [[nodiscard]] virtual Result<void> retry(ClaimRef claim, const Retry& retry, const AttemptFailure& failure,
                                           WallTime now) = 0;
  [[nodiscard]] Result<void> retry(ClaimRef claim, WallTime due, const AttemptFailure& failure,
                                   WallTime now) {
    return retry(claim, Retry{.due = due}, failure, now);
  }
  // Given back until then, reason put_off, at the cost of no attempt: as a release of a job that had started.
  [[nodiscard]] virtual Result<void> put_off(ClaimRef claim, WallTime due, const AttemptFailure& why,
                                             WallTime now) = 0;
};

}  // namespace tenure::queue
