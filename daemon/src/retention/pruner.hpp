#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/clock_leaps.hpp>
#include <tenure/config/settings.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

// Removes jobs that have ended long ago, a few in each commit and with a rest behind it, so that claims hardly wait for it: from the
// oldest row to those that are too young, again and again.
namespace tenure::daemon {

[[nodiscard]] queue::Retention retention_of(const config::Settings& settings);

struct PrunerLimits {
  std::size_t looks = 1'000;  // rows that are read at once
  std::size_t at_once = 200;  // jobs of one commit
  std::chrono::milliseconds between_commits{20};
  std::chrono::milliseconds between_passes{60'000};
  std::chrono::milliseconds behind_trouble{10'000};
  // Nothing is removed for so long after the clock was put forward: by a mistake, all jobs that have ended would go at once.
  std::chrono::hours behind_leap{1};
};

// Threads: one at a time; use() any.
class Pruner {
 public:
  // `store` and `clock` outlive it. `tell` is called where some have gone, with how many since the start.
  Pruner(queue::Store& store, const Clock& clock, const queue::Retention& rules,
         std::function<void(const queue::Pruned&)> tell, const PrunerLimits& limits = {});

  // Reads a page or removes some, at most one commit of each sort; how long to rest. What the store throws is logged.
  std::chrono::microseconds step();
  // From the next look on; what has been found by others before is looked at again.
  void use(const queue::Retention& rules);
  [[nodiscard]] const queue::Pruned& pruned() const { return pruned_; }

 private:
  // One look at all rows.
  struct Pass {
    queue::PrunePass rules;
    queue::JobSeq looked_until{0};
    bool is_read = false;  // to the end
  };
  std::chrono::microseconds do_step();
  void take_rules();
  void read_on();
  void remove_some();
  std::chrono::microseconds end_pass();

  [[nodiscard]] bool is_time_doubtful();

  queue::Store& store_;
  const Clock& clock_;
  ClockLeaps leaps_;
  queue::Retention rules_;
  std::mutex mutex_;
  std::optional<queue::Retention> next_rules_;  // behind the mutex
  const std::function<void(const queue::Pruned&)> tell_;
  const PrunerLimits limits_;
  std::optional<Pass> pass_;
  std::vector<queue::JobSeq> found_;  // that are to go, in order
  queue::Pruned pruned_;
};

}  // namespace tenure::daemon
