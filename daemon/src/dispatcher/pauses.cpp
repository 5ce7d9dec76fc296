#include "pauses.hpp"

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void Pauses::read(queue::OpenPauses open) {
  mark_ = open.mark;
  pauses_ = std::move(open.pauses);
  tenants_until_ = open.tenants_until;
}

bool Pauses::has_expired(WallTime now) const {
  return (tenants_until_ && *tenants_until_ <= now) ||
         std::ranges::any_of(
             pauses_, [&](const queue::OpenPause& pause) { return pause.until && *pause.until <= now; });
}

std::set<std::string> Pauses::names(queue::PauseScope scope) const {
  std::set<std::string> names;
  for (const queue::OpenPause& pause : pauses_)
    if (pause.scope == scope) names.insert(pause.name);
  return names;
}

}  // namespace tenure::daemon
