#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/clock_leaps.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/graveyard.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

// Erases tenants that were deleted, once their undo window is over. That it has begun is noted first, from where on nobody takes them back;
// then their files in the graveyard go, then their jobs, a few in each commit, then what free pages and the log still hold, and at last it is
// noted that they are gone. Each is done again where a crash came between. Jobs of all of them are found in one pass over the rows.
namespace tenure::daemon {

struct EraserLimits {
  std::size_t at_once = 100;       // jobs of one commit
  std::size_t looks_max = 10'000;  // rows of one look
  std::chrono::milliseconds between_commits{20};
  std::chrono::milliseconds between_looks{60'000};
  // Nothing is begun for so long after the clock was put forward: by a mistake, what could still be taken back would go.
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
  void begin_pass();
  // Whether it was begun, by whomever.
  [[nodiscard]] bool begin(const queue::DeletionRecord& deletion);
  void erase_some_jobs();
  // Whether there is nothing more to do.
  [[nodiscard]] bool end_pass();
  void note_erased(const queue::DeletionRecord& deletion);

  // Over the rows, for those whose erasing had begun before it.
  struct Pass {
    std::vector<queue::DeletionRecord> tenants;
    queue::JobSeq looked_until{0};
    bool is_at_end = false;
    bool has_left_jobs = false;            // the newest of all, which stays until the next one comes
    std::vector<queue::JobId> found = {};  // and not erased yet
    bool has_erased_rows = false;          // all but its traces
  };

  queue::Store& store_;
  const Clock& clock_;
  ClockLeaps leaps_;
  const Graveyard graveyard_;
  const EraserLimits limits_;
  std::optional<Instant> next_look_;
  std::optional<Pass> pass_;
};

}  // namespace tenure::daemon
