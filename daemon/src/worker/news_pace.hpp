#pragma once

#include <tenure/base/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace tenure::daemon {

// Between two frames that tell of one run, however often its handler tells.
inline constexpr std::chrono::microseconds kNewsEvery{100'000};

// When what runs tell of themselves is sent on: not too often, and not while bytes are on their way already, since nobody may be reading
// them. What is told meanwhile stays with the runs, the latest of each, and so needs no memory. Threads: one at a time.
class NewsPace {
 public:
  // From something new to the moment when it may be sent.
  [[nodiscard]] std::chrono::microseconds wait(Instant now) const {
    if (!sent_) return std::chrono::microseconds{0};
    return std::max(std::chrono::microseconds{0}, kNewsEvery - (now - *sent_));
  }
  // That moment has come. False: it is sent when all has been written.
  [[nodiscard]] bool may_send(Instant now, bool is_writing) {
    is_late_ = is_writing;
    if (!is_writing) sent_ = now;
    return !is_writing;
  }
  // All has been written.
  [[nodiscard]] bool may_send_late(Instant now) {
    if (!std::exchange(is_late_, false)) return false;
    sent_ = now;
    return true;
  }

 private:
  std::optional<Instant> sent_;
  bool is_late_ = false;
};

}  // namespace tenure::daemon
