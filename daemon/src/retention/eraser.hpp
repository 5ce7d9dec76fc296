#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/clock_leaps.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/graveyard.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

// Erases tenants that were deleted, once their undo window is over: first the file in the graveyard, then their jobs, a few in each commit,
// at last it is noted. Each is done again where a crash came between.
namespace tenure::daemon {

struct EraserLimits {
  std::size_t at_once = 100;  // jobs of one commit
  std::chrono::milliseconds between_commits{20};
  std::chrono::milliseconds between_looks{60'000};
  // Nothing is erased for so long after the clock was put forward: by a mistake, what could still be taken back would go.
  std::chrono::hours behind_leap{1};
};

// Threads: one at a time.
class Eraser {
 public:
  // `store` and `clock` outlive it.
  Eraser(queue::Store& store, const Clock& clock, Graveyard graveyard, const EraserLimits& limits = {});

  // One look, or one commit; how long to rest. What store and files throw is logged, and done again later.
  std::chrono::microseconds step();

 private:
  std::chrono::microseconds do_step();
  [[nodiscard]] bool is_time_doubtful();
  // The first whose time is over, behind those that cannot be ended now.
  [[nodiscard]] std::optional<queue::DeletionRecord> next_due();
  // Whether jobs of it may be left.
  [[nodiscard]] bool erase_some_jobs(const queue::DeletionRecord& deletion);
  void note_erased(const queue::DeletionRecord& deletion);

  queue::Store& store_;
  const Clock& clock_;
  ClockLeaps leaps_;
  const Graveyard graveyard_;
  const EraserLimits limits_;
  std::optional<Instant> next_look_;
  TenantNumber passed_over_{
      0};  // in this round of looks: its last job is the newest of all, which stays until the next one comes
};

}  // namespace tenure::daemon
