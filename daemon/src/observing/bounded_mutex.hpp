#pragma once

#include <chrono>
#include <semaphore>

namespace tenure::daemon {

// For std::lock_guard, std::scoped_lock and std::unique_lock with a bound. std::timed_mutex waits by a call that the thread sanitizer
// of GCC 12 does not know, and so takes for no lock.
class BoundedMutex {
 public:
  void lock() { free_.acquire(); }
  [[nodiscard]] bool try_lock() { return free_.try_acquire(); }
  [[nodiscard]] bool try_lock_for(std::chrono::milliseconds bound) { return free_.try_acquire_for(bound); }
  void unlock() { free_.release(); }

 private:
  std::binary_semaphore free_{1};
};

}  // namespace tenure::daemon
