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
};

// StoreWriter::enqueue with its results. A delay counts from here and not from the call, which may have waited for others.
[[nodiscard]] Result<Enqueued> enqueue(StoreWriter& writer, Draft& draft, const Clock& clock);

}  // namespace tenure::queue
