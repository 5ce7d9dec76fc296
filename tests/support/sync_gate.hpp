#pragma once

#include "support/shim_vfs.hpp"

#include <condition_variable>
#include <mutex>

namespace tenure::testing {

// Counts the syncs of write-ahead logs and holds them back while it is closed. `hook` goes into a ShimVfs.
class SyncGate {
 public:
  int hook(const ShimVfs::Event& event) {
    if (event.call != ShimVfs::Call::sync || event.file != ShimVfs::File::wal) return 0;
    std::unique_lock lock(mutex_);
    const int number = ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return number <= allowed_; });
    return result_;
  }

  // The next `count` syncs pass, those behind them wait.
  void close_after(int count) {
    const std::lock_guard lock(mutex_);
    allowed_ = arrived_ + count;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    allowed_ = kAll;
    changed_.notify_all();
  }
  // One of those that wait, or the next that comes, passes.
  void let_one_pass() {
    const std::lock_guard lock(mutex_);
    ++allowed_;
    changed_.notify_all();
  }
  // What every sync answers from now on.
  void answer(int result) {
    const std::lock_guard lock(mutex_);
    result_ = result;
  }
  void wait_for_arrivals(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }
  [[nodiscard]] int arrived() const {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  static constexpr int kAll = 1'000'000'000;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  int allowed_ = kAll;
  int result_ = 0;
};

}  // namespace tenure::testing
