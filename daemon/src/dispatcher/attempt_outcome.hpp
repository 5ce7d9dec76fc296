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

// What becomes of a job whose worker has reported. `leaves_tenant_alone`: the tenant was busy, and its next jobs would meet
// the same.
struct AttemptOutcome {
  PendingEnd pending;
  bool leaves_tenant_alone = false;
};
[[nodiscard]] AttemptOutcome outcome_of(const OutstandingJob& job, const AttemptEnd& end, WallTime now,
                                        Random& random);

// What becomes of a job whose process is gone. `was_ended_by_stop`: we ended it, so nobody is charged.
[[nodiscard]] PendingEnd end_with_process(const OutstandingJob& job, bool was_performing,
                                          bool was_ended_by_stop, const std::string& cause);

// Claimed for a process that cannot take it any more.
[[nodiscard]] PendingEnd give_back(const queue::ClaimedJob& job);

}  // namespace tenure::daemon
