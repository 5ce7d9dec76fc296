#pragma once

#include <tenure/jobs/registry.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <functional>
#include <string_view>

namespace tenure {

struct ReplayOptions {
  // Called as each step of `once` begins, before its transaction: where a debugger is to stop.
  std::function<void(std::string_view step)> on_step = nullptr;
  queue::StopSignal stop = {};
};

// Performs the run of a capsule again, in its tenant, which restore_tenant() has put below the root of `handles`; nothing else is
// opened. The clock says what it said then, JobContext::random and ids of enqueued jobs come from the seed, and JobContext::recorded
// answers from the capsule without calling: ReplayDiffers is thrown into the handler where it asks for what the recording lacks, or in
// another order, and is the record's failure then, whatever the handler makes of it. Returns what the run has done; what a handler throws never leaves.
// UnknownKind where `jobs` has no handler, what HandleCache::acquire says, and what keeps the run's effects from being told (SchemaMismatch
// where it has altered or dropped a table whose rows it has changed, LimitReached, OutOfMemory), whatever it has ended with. All must outlive the call.
// Threads: the calling one performs; it has no tenant before and after.
[[nodiscard]] replay::RunRecord replay_run(const JobRegistry& jobs, HandleCache& handles,
                                           const replay::Capsule& capsule, const ReplayOptions& options = {});

}  // namespace tenure
