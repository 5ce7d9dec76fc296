#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/records.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

// Tells an operator of jobs that are dead: of the first at once, then at most once in kDeadNotePause with how many they are, so
// that a fault which kills thousands is a few lines. Which jobs they are the store knows.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kDeadNotePause{1000};

class DeadJobs {
 public:
  // `kind` is empty where nobody says it.
  void died(const queue::AttemptFailure& why, std::string kind = {});
  void tick(Instant now, Actions& actions);
  // What is untold is told, however soon.
  void leave(Actions& actions);
  // When tick() has something to tell; nothing where there is nothing.
  [[nodiscard]] std::optional<Instant> next_at() const;

 private:
  void tell(Actions& actions);

  std::int64_t untold_ = 0;
  queue::AttemptFailure last_;
  std::string last_kind_;
  std::optional<Instant> told_at_;

  TENURE_REMEMBERS(untold, last, last_kind, told_at)
};

}  // namespace tenure::daemon
