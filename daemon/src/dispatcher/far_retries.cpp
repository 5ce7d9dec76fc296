#include "far_retries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

void FarRetries::tick(Now now) {
  const std::chrono::microseconds ahead = now.wall.time_since_epoch() - now.steady.since_start;
  const bool has_jumped = !ahead_ || std::chrono::abs(ahead - *ahead_) >= kClockSetBackMin;
  if (has_jumped) trusted_at_ = now.steady + kClockTrustedAfter;
  ahead_ = ahead;
  if (ahead_max_ && *ahead_max_ - ahead >= kClockSetBackMin) {
    ahead_max_ = ahead;
    from_the_front_again_ = is_wanted_;
    is_wanted_ = true;
  }
  ahead_max_ = std::max(ahead_max_.value_or(ahead), ahead);
}

void FarRetries::read(const queue::DrawnIn& page, Actions& actions) {
  drawn_in_ += page.due.size();
  after_ = page.read_until;
  if (std::exchange(from_the_front_again_, false)) after_.reset();
  else is_wanted_ = after_.has_value();
  if (!is_wanted_ && drawn_in_ > 0) tell(actions);
}

void FarRetries::tell(Actions& actions) {
  const auto count = std::exchange(drawn_in_, 0);
  actions.emplace_back(
      Note{.level = Note::Level::warning,
           .event = "retries.drawn_in",
           .message = fmt::format(
               "{} further off than a retry can be, as where the clock of this machine was ahead when they "
               "failed and was put right since: due now within the wait of their retry.",
               count == 1 ? "1 job waited for a retry that was"
                          : fmt::format("{} jobs waited for retries that were", count))});
}

}  // namespace tenure::daemon
