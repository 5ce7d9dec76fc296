#pragma once

#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <optional>

// How a stop proceeds: start nothing more; at 80 % of the deadline the stop token; at the deadline the processes are ended;
// whoever asks again changes nothing, but "at once" shortens it to now.
namespace tenure::daemon {

inline constexpr int kStopTokenPercent = 80;
// Past the deadline, for the last outcomes to be stored. What is not stored by then the next holder takes back uncharged.
inline constexpr std::chrono::milliseconds kStopStoreWait{900};

class Stopping {
 public:
  void ask(std::chrono::milliseconds deadline, Instant now, Processes& processes, Actions& actions);
  void tick(Instant now, Processes& processes, Actions& actions);
  [[nodiscard]] bool is_asked() const { return deadline_.has_value(); }
  // The deadline has passed and so has the patience with the store.
  [[nodiscard]] bool is_over(Instant now) const { return deadline_ && now >= *deadline_ + kStopStoreWait; }
  [[nodiscard]] std::optional<Instant> next_at(Instant now) const;

 private:
  std::optional<Instant> deadline_;
  Instant token_at_;
  bool token_given_ = false;
  bool ended_ = false;

  TENURE_REMEMBERS(deadline, token_at, token_given, ended)
};

}  // namespace tenure::daemon
