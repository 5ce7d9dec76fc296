#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

// Tells an operator of jobs that were discarded since they had not started in time: of the first at once, then at most once in
// kExpiredNotePause with how many they are. Which jobs they are the store knows.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kExpiredNotePause{1000};

class ExpiredJobs {
 public:
  // `kind`: of the last of them; empty where nobody says it.
  void expired(std::int64_t count, std::string kind);
  void tick(Instant now, Actions& actions);
  // What is untold is told, however soon.
  void leave(Actions& actions);
  // When tick() has something to tell; nothing where there is nothing.
  [[nodiscard]] std::optional<Instant> next_at() const;

 private:
  void tell(Actions& actions);

  std::int64_t untold_ = 0;
  std::string last_kind_;
  std::optional<Instant> told_at_;

  TENURE_REMEMBERS(untold, last_kind, told_at)
};

}  // namespace tenure::daemon
