#pragma once

#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/records.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

// Why a job does not run, from what its row and its lane tell. Its place in the fair order is in the dispatcher's memory and not said.
namespace tenure::queue {

class JobReader;

// What is known of the dispatcher in one snapshot, for whoever asks about many jobs.
struct DispatcherFacts {
  bool is_there = false;
  std::vector<PoolRecord> pools;
  std::vector<PoolSlots> slots;
};
[[nodiscard]] DispatcherFacts dispatcher_facts(JobReader& reader);

// Of the pools that have a worker process, list its queue, take its tenant and perform its kind; in the order of names.
[[nodiscard]] std::vector<PoolSlots> performing_pools(const DispatcherFacts& dispatcher,
                                                      const JobRecord& job);
// There are some, and none has a free one.
[[nodiscard]] bool are_taken(std::span<const PoolSlots> slots);
// Each that is free is kept for a better priority; also where none is free, but not where there are none.
[[nodiscard]] bool are_kept(std::span<const PoolSlots> slots, Priority priority);

struct WaitReason {
  JobReason reason = JobReason::none;
  std::optional<WallTime> since;  // nothing: nobody keeps it
  std::optional<WallTime> until;  // nothing: not known
  friend bool operator==(const WaitReason&, const WaitReason&) = default;
};

// Every reason, the deciding one first; empty for a job that runs or has ended, and for no other. `attempted`: when its last attempt ended.
[[nodiscard]] std::vector<WaitReason> wait_reasons(const JobRecord& job, const LaneFacts& lane,
                                                   std::optional<WallTime> attempted, WallTime now);

// The first of them, without a look at its lane: what is shown of its state agrees with it. JobReason::none: it runs, or has succeeded;
// of one that has ended otherwise, why.
[[nodiscard]] JobReason deciding_reason(const JobRecord& job, const DispatcherFacts& dispatcher,
                                        WallTime now);

}  // namespace tenure::queue
