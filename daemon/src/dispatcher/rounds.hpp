#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/round.hpp>

#include <chrono>
#include <memory>
#include <optional>

// The rounds of the dispatcher: one under way at a time, made of the parts that have something to ask, and asked again after a
// wait where the store could not do it. It knows no part by name.
namespace tenure::daemon {

inline constexpr std::chrono::milliseconds kRoundRetryMin{100};
inline constexpr std::chrono::milliseconds kRoundRetryMax{5000};
inline constexpr std::chrono::milliseconds kRoundNotePause{1000};  // between two notes of failed rounds

class Rounds {
 public:
  // Sends one out, if none is under way and some part has something to ask.
  void start(DispatcherState& state);
  // Neither does anything where none is under way. done() takes the claimed jobs out of the reply.
  void done(DispatcherState& state, RoundReply& reply);
  // Nothing of it happened, so all of it is asked again.
  void failed(DispatcherState& state, const Failure& failure);

  [[nodiscard]] bool is_under_way() const { return under_way_ != nullptr; }
  // When a failed one is asked again.
  [[nodiscard]] const std::optional<Instant>& retry_at() const { return retry_at_; }

 private:
  void note(DispatcherState& state, const Failure& failure);

  std::shared_ptr<const RoundWork> under_way_;
  std::chrono::milliseconds retry_wait_{0};
  std::optional<Instant> retry_at_;
  std::optional<Instant> noted_;

  TENURE_REMEMBERS(under_way, retry_wait, retry_at, noted)
};

}  // namespace tenure::daemon
