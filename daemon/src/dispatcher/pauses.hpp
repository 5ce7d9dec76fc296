#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/pause.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

// Which queues and kinds operators have paused, as the store has said last, and when the next pause ends by itself, that of a tenant
// too. What pauses mean for lanes is theirs; which tenants are paused is told by the tenants' states.
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
  std::optional<WallTime> tenants_until_;

  TENURE_REMEMBERS(known, pauses, tenants_until)
};

}  // namespace tenure::daemon
