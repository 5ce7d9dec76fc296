#pragma once

#include "outstanding.hpp"

#include <tenure/base/random.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/round.hpp>

#include <string>

namespace tenure::daemon {

// An end that is not stored yet. What is given back is ready again at its place.
struct PendingEnd {
  ClaimEnd end;
  queue::Lane lane;
  queue::LanePlace place;
};

// What becomes of a job whose worker has reported.
struct AttemptOutcome {
  enum class Pause : std::uint8_t {
    none,
    flat,     // something was busy that others may use up, too: the tenant's next jobs wait a moment
    growing,  // the tenant itself is not ready, and the longer it has not been the longer its jobs wait
  };
  PendingEnd pending;
  Pause pause = Pause::none;
};
[[nodiscard]] AttemptOutcome outcome_of(const OutstandingJob& job, const AttemptEnd& end, WallTime now,
                                        Random& random);

enum class ProcessEnd : std::uint8_t {
  by_stop,     // we ended it: nobody is charged
  alone,       // it held this job only: the job is charged
  in_company,  // it held others too, and nobody knows which one it was
};
// What becomes of a job whose process is gone. The crash that would make it dead is charged only to a job that was alone, so
// nobody is dead by company: what was in two crashes runs alone next (Processes), and then it is certain whose crash it is.
[[nodiscard]] PendingEnd end_with_process(const OutstandingJob& job, bool was_performing, ProcessEnd end,
                                          const std::string& cause);

// Claimed for a process that cannot take it any more.
[[nodiscard]] PendingEnd give_back(const queue::ClaimedJob& job);

}  // namespace tenure::daemon
