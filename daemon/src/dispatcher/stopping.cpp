#include "stopping.hpp"

#include <algorithm>

namespace tenure::daemon {

void Stopping::ask(std::chrono::milliseconds deadline, Instant now, Processes& processes, Actions& actions) {
  if (is_asked()) {
    deadline_ = std::min(*deadline_, now + deadline);
    return;
  }
  deadline_ = now + deadline;
  token_at_ = now + std::chrono::microseconds{deadline} * kStopTokenPercent / 100;
  processes.end_restarts();
  for (auto& [number, process] : processes.all()) {
    if (process.phase == Phase::starting) {  // holds no job, and may not listen yet
      process.was_ended_by_stop = true;
      actions.emplace_back(EndProcess{number});
    } else {
      actions.emplace_back(Drain{number});
    }
    process.phase = Phase::leaving;
  }
}

void Stopping::tick(Instant now, Processes& processes, Actions& actions) {
  if (!is_asked() || ended_) return;
  if (now >= *deadline_) {
    ended_ = true;
    for (auto& [number, process] : processes.all()) {
      process.was_ended_by_stop = true;
      actions.emplace_back(EndProcess{number});
    }
    return;
  }
  if (token_given_ || now < token_at_) return;
  token_given_ = true;
  for (const auto& [number, process] : processes.all()) {
    if (!process.was_ended_by_stop) actions.emplace_back(GiveStopToken{number});
  }
}

std::optional<Instant> Stopping::next_at(Instant now) const {
  if (!is_asked()) return std::nullopt;
  if (!ended_) return token_given_ ? *deadline_ : std::min(token_at_, *deadline_);
  const Instant over = *deadline_ + kStopStoreWait;
  if (now < over) return over;
  return std::nullopt;
}

}  // namespace tenure::daemon
