#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>

#include <chrono>
#include <optional>
#include <string>

// When the dispatcher looks for concurrency keys that are free though jobs wait for them, and how far it has come: a job that got such a
// key may stand in a lane that is gated, and then the key is idle until somebody looks.
namespace tenure::daemon {

inline constexpr std::chrono::seconds kKeyLookEach{10};

class KeyLooks {
 public:
  // The first one is due so long after the first call.
  [[nodiscard]] bool are_due(Instant now) {
    if (!next_) next_ = now + kKeyLookEach;
    return now >= *next_;
  }
  // More may run of some than before: the look begins again, at the front.
  void soon(Instant now) {
    next_ = now;
    after_.clear();
  }
  [[nodiscard]] const std::string& after() const { return after_; }
  // The last key of the page; nothing: all were read.
  void read(const std::optional<std::string>& until, Instant now) {
    after_ = until.value_or("");
    if (!until) next_ = now + kKeyLookEach;
  }

 private:
  std::optional<Instant> next_;
  std::string after_;

  TENURE_REMEMBERS(next, after)
};

}  // namespace tenure::daemon
