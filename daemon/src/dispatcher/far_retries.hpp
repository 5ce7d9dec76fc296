#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

// When the store is looked through for retries that are further off than their rule allows: a clock that was ahead when a job failed
// and has been put right since leaves a wait of 15 s waiting a day. Looked for at the start, since nobody watched the clock before, and
// whenever the wall clock has gone back.
namespace tenure::daemon {

// Less is not worth a look: no retry waits much longer for it, and a clock that is only slewed goes back by little at a time.
inline constexpr std::chrono::seconds kClockSetBackMin{5};

// For so long the wall clock must have gone with the steady one: a machine without a clock of its own starts in 1970, and drawn in
// by that all retries would be due at once when the time comes from elsewhere.
inline constexpr std::chrono::minutes kClockTrustedAfter{5};

class FarRetries {
 public:
  // At each step.
  void tick(Now now);

  [[nodiscard]] bool is_wanted(Instant now) const { return is_wanted_ && now >= trusted_at_; }
  // When that may change by itself.
  [[nodiscard]] std::optional<Instant> next_at() const {
    return is_wanted_ ? std::optional{trusted_at_} : std::nullopt;
  }
  // The last job of the page before; nothing: from the front.
  [[nodiscard]] const std::optional<queue::LanePlace>& after() const { return after_; }
  // The next page. At the last one an operator is told, where anything was drawn in.
  void read(const queue::DrawnIn& page, Actions& actions);

 private:
  void tell(Actions& actions);

  bool is_wanted_ = true;
  bool from_the_front_again_ = false;  // the clock went back meanwhile
  std::optional<queue::LanePlace> after_;
  std::size_t drawn_in_ = 0;
  Instant trusted_at_{};
  std::optional<std::chrono::microseconds> ahead_;  // the wall clock before the steady one, at the last step
  // The furthest that the wall clock was before the steady one since it last went back.
  std::optional<std::chrono::microseconds> ahead_max_;

  TENURE_REMEMBERS(is_wanted, from_the_front_again, after, drawn_in, trusted_at, ahead, ahead_max)
};

}  // namespace tenure::daemon
