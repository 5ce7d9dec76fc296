#include "looks.hpp"

#include <utility>

namespace tenure::daemon {

std::optional<ChangeCheck> Looks::begin(bool only_looks, Instant now) {
  const bool was_wanted = std::exchange(is_wanted_, false);
  if (!is_poll(now)) return std::nullopt;
  next_poll_ = now + poll_;
  ChangeCheck check;
  if (!was_wanted && only_looks && ++idle_looks_ % kLooksPerFullLook != 0)
    check.unless_still = change_counter_;
  return check;
}

}  // namespace tenure::daemon
