#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace tenure::daemon {

// A thread that does one thing again and again.
// Threads: its functions from one.
class RecurringThread {
 public:
  // `once` returns how long to rest before it is called again.
  RecurringThread(std::string name, std::function<std::chrono::microseconds()> once);
  // stop().
  ~RecurringThread();
  RecurringThread(const RecurringThread&) = delete;
  RecurringThread& operator=(const RecurringThread&) = delete;

  // Ends its rest.
  void now();
  // Ends after the call that is under way. Safe twice.
  void stop();
  // The same, but false, and still running, where that call does not end within the bound.
  [[nodiscard]] bool stops_within(std::chrono::milliseconds bound);

 private:
  void run();

  const std::string name_;
  const std::function<std::chrono::microseconds()> once_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  bool is_asked_ = false;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace tenure::daemon
