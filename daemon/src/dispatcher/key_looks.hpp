#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/limit_rule.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  // Those per key that hold. Where they are others than before, more may run of some: the look begins again, at the front.
  void set_limits(std::vector<queue::OpenLimit> limits, Instant now) {
    if (limits == limits_) return;
    limits_ = std::move(limits);
    soon(now);
  }
  void soon(Instant now) {
    next_ = now;
    after_.clear();
    is_hurried_ = true;
  }
  [[nodiscard]] const std::string& after() const { return after_; }
  // A page that was asked for behind `after`, and its last key; nothing: all were read. Where the look has begun again meanwhile it is none
  // of its pages.
  void read(const std::string& after, const std::optional<std::string>& until, Instant now) {
    if (after != after_) return;
    after_ = until.value_or("");
    if (until) return;
    next_ = now + kKeyLookEach;
    is_hurried_ = false;
  }
  // Whether its next page is wanted at once.
  [[nodiscard]] bool is_hurried() const { return is_hurried_; }

 private:
  std::optional<Instant> next_;
  std::string after_;
  bool is_hurried_ = false;
  std::vector<queue::OpenLimit> limits_;

  TENURE_REMEMBERS(next, after, is_hurried, limits)
};

}  // namespace tenure::daemon
