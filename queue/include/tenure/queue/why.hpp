#pragma once

#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/records.hpp>

#include <optional>
#include <vector>

// Why a job does not run, from what its row and its lane tell. Its place in the fair order is in the dispatcher's memory and not said.
namespace tenure::queue {

struct WaitReason {
  JobReason reason = JobReason::none;
  std::optional<WallTime> since;  // nothing: nobody keeps it
  std::optional<WallTime> until;  // nothing: not known
  friend bool operator==(const WaitReason&, const WaitReason&) = default;
};

// Every reason, the deciding one first; empty for a job that runs or has ended, and for no other. `attempted`: when its last attempt ended.
[[nodiscard]] std::vector<WaitReason> wait_reasons(const JobRecord& job, const LaneFacts& lane,
                                                   std::optional<WallTime> attempted, WallTime now);

// The first of them, from the record alone: what is shown of its state agrees with its lane. JobReason::none: it runs, or has succeeded;
// of one that has ended otherwise, why.
[[nodiscard]] JobReason deciding_reason(const JobRecord& job, bool has_dispatcher, WallTime now);

}  // namespace tenure::queue
