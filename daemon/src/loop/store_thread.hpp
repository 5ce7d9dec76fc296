#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/thread_bound.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace tenure::daemon {

// Carries rounds out, one at a time, on a thread of its own, and looks after what follows a commit: ordered commits are on
// disk within 100 ms, and the write-ahead log is moved into the database when it is large or nothing else is to do.
// Threads: submit() and stop() from the loop; `deliver` is called on the store's thread.
class StoreThread {
 public:
  // `store` and `clock` must outlive it. `before_round` is called on the store's thread; what it throws fails the round.
  StoreThread(
      queue::Store& store, const Clock& clock, std::function<void(Event)> deliver,
      std::function<void()> before_round = [] {});
  ~StoreThread();

  void submit(std::shared_ptr<const RoundWork> work);
  // Ends after the round under way. Safe twice.
  void stop();
  // The same, but false, and still running, where the round under way does not end within the bound.
  [[nodiscard]] bool stops_within(std::chrono::milliseconds bound);

 private:
  void run();
  std::shared_ptr<const RoundWork> wait_for_work(std::chrono::microseconds at_most);
  void carry_out(const RoundWork& work);
  // How long the upkeep can wait from now.
  [[nodiscard]] std::chrono::microseconds until_upkeep() const;
  void upkeep();

  queue::Store& store_;
  const Clock& clock_;
  std::function<void(Event)> deliver_;
  std::function<void()> before_round_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const RoundWork> work_;
  bool stopping_ = false;
  bool ended_ = false;
  // Of the store's thread only, which the functions above assert.
  ThreadBound inside_{"StoreThread's inside"};
  std::optional<Instant> unsynced_since_;
  std::optional<Instant> checkpoint_at_;  // once everything is synced and nothing more was committed
  std::thread thread_;
};

}  // namespace tenure::daemon
