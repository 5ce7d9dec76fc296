#pragma once

#include <tenure/queue/stop_reason.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>

namespace tenure::queue {

// Tells a job that runs to stop, and why. Copies are one signal; the first reason stays.
// Threads: any. What handlers have registered at the token runs in give().
class StopSignal {
 public:
  void give(StopReason reason) {
    auto none = std::uint8_t{0};
    if (state_->reason.compare_exchange_strong(none, static_cast<std::uint8_t>(reason)))
      state_->source.request_stop();
  }
  [[nodiscard]] std::stop_token token() const { return state_->source.get_token(); }
  [[nodiscard]] std::optional<StopReason> reason() const {
    const std::uint8_t reason = state_->reason;
    if (reason == 0) return std::nullopt;
    return static_cast<StopReason>(reason);
  }

 private:
  struct State {
    std::stop_source source;
    std::atomic<std::uint8_t> reason{0};
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace tenure::queue
