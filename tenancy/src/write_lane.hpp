#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tenure::detail {

// Serves the writers of one tenant in this process in the order in which they came, above SQLite's lock,
// whose waiters poll and are never queued. It orders; SQLite's lock stays the guarantee.
// Threads: every method from any thread.
class WriteLane {
 public:
  class Turn {
   public:
    Turn() = default;
    ~Turn() { end(); }
    Turn(Turn&& other) noexcept : lane_(std::exchange(other.lane_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      std::swap(lane_, other.lane_);
      return *this;
    }
    // Safe twice.
    void end();
    // In a child of fork(): the lane is the parent's.
    void leave_to_parent() { lane_ = nullptr; }

   private:
    friend class WriteLane;
    explicit Turn(WriteLane* lane) : lane_(lane) {}
    WriteLane* lane_ = nullptr;
  };

  // Nothing when `wait_max` has passed, or somebody refused; 0 asks whether the lane is free.
  [[nodiscard]] std::optional<Turn> wait(std::chrono::milliseconds wait_max);
  // Those that wait now are told at once that it is in vain.
  void refuse_waiting();
  // Whoever has the turn and those behind.
  [[nodiscard]] std::size_t queued_for_test();

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<std::uint64_t> queue_;  // the first has the turn
  std::uint64_t last_ticket_ = 0;
  std::uint64_t refused_up_to_ = 0;  // tickets of those that waited at the last refuse_waiting()
};

}  // namespace tenure::detail
