#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/pause.hpp>

#include <set>
#include <string>
#include <vector>

// Which queues and kinds operators have paused, as the store has said last. What that means for lanes is theirs.
namespace tenure::daemon {

class Pauses {
 public:
  // As of which change they are known.
  [[nodiscard]] queue::PausesMark mark() const { return mark_; }
  void read(queue::OpenPauses open);
  [[nodiscard]] bool has_expired(WallTime now) const;
  [[nodiscard]] std::set<std::string> names(queue::PauseScope scope) const;

 private:
  queue::PausesMark mark_{0};
  std::vector<queue::OpenPause> pauses_;

  TENURE_REMEMBERS(known, pauses)
};

}  // namespace tenure::daemon
