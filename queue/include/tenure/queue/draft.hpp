#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <optional>

namespace tenure::queue {

// A job of which everything is known but the moment of its commit. Not for users: they have Client and the command line, which both
// bring jobs in by it.
struct Draft {
  NewJob job = {};  // its due time is left open
  std::optional<WallTime> run_at = {};
  std::chrono::microseconds run_in{0};  // where there is no run_at
  std::optional<WallTime> start_before = {};
  std::chrono::microseconds start_within{
      0};  // from its due time, where there is no start_before; 0: whenever
};

// Sets due time and start_before of the job, of a commit at `now`.
void set_times(Draft& draft, WallTime now);

// StoreWriter::enqueue with its results. A delay counts from here and not from the call, which may have waited for others.
[[nodiscard]] Result<Enqueued> enqueue(StoreWriter& writer, Draft& draft, const Clock& clock);

}  // namespace tenure::queue
