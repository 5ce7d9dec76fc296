#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tenure::daemon {

// A job that a worker process was given.
struct Run {
  queue::ClaimRef claim;
  queue::Lane lane;
  std::optional<TenantName> tenant;  // nothing: untenanted
  WallTime due{};
  std::optional<Instant> since;  // once it performs
  bool is_recalled = false;
};

// The jobs of one worker process in the order in which they were assigned: the first of them perform, as many as it has slots, and the
// others wait. All of it is concluded from what the dispatcher has told the process and has heard of it.
// Threads: one at a time.
class Runs {
 public:
  // One that performs from now on; or none.
  using Begun = const Run*;

  void set_slots(std::size_t slots) { slots_ = slots; }
  [[nodiscard]] Begun add(Run run, Instant now);
  struct Ended {
    std::optional<Run> run;  // nothing where this claim is not here
    Begun begun = nullptr;   // which takes its slot
  };
  [[nodiscard]] Ended end(queue::ClaimRef claim, Instant now);
  // It comes back if it has not begun.
  void recall(queue::ClaimRef claim);
  void recall_all();

  [[nodiscard]] std::size_t performing() const { return performing_; }
  [[nodiscard]] std::size_t slots() const { return slots_; }
  template <class Function>
  void for_each(Function&& fn) const {
    for (const Run& run : runs_) fn(run);
  }

 private:
  [[nodiscard]] Begun begin_next(Instant now);

  std::size_t slots_ = 0;
  std::size_t performing_ = 0;
  std::list<Run> runs_;
  std::unordered_map<queue::JobSeq, std::list<Run>::iterator> places_;
};

}  // namespace tenure::daemon
