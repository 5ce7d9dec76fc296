#pragma once

#include "state.hpp"

#include <chrono>

// Calling jobs back that were assigned ahead: they return as `not_started`, and whoever is next takes them or the slot.
namespace tenure::daemon {

// Less than this ahead of each slot is gone sooner than it could be called back.
inline constexpr std::chrono::microseconds kRecallAheadMin{1000};

// All that waits in the process.
void recall_all(Process& process, Actions& actions);

// A tenant that comes into a full pool shall not wait behind jobs that were assigned ahead for others who have had more:
// those of the least loaded process are called back.
void recall_for_newcomers(DispatcherState& state);

// Nothing waits behind a job that takes longer than it usually does, whatever was thought of it at its start: what stands behind
// slots that do not move is called back within kLateAfter + kLateCheck of the moment when they should have. Where a slot is free and
// nothing is left that it could claim, it asks for what waits elsewhere: at once where that waits behind a late job, and half of
// it where there is more than kRecallAheadMin of it.
void recall_by_the_clock(DispatcherState& state);

}  // namespace tenure::daemon
