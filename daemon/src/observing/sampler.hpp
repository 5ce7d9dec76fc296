#pragma once

#include "../loop/recurring_thread.hpp"
#include "bounded_mutex.hpp"
#include "observations.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/queue/store.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

namespace tenure::daemon {

// Looks now and then at what takes time to look at: the store, and the disk below it, each on a thread of its own, since one that hangs
// says nothing of the other. Whoever asks is answered with what was seen last.
// Threads: its functions from one.
class Sampler {
 public:
  static constexpr std::chrono::seconds kPeriod{5};
  // A look at a store with many jobs takes long, and shall not take more than this part of the time.
  static constexpr int kRestsTimes = 10;

  // Both references must outlive it. `control` is the path of the control database.
  Sampler(Observations& observations, const Clock& clock, std::filesystem::path control,
          std::chrono::microseconds period = kPeriod);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // At once, and then now and then until leave() has returned. A look that is under way then is given up between two questions.
  void look_at(queue::ReadableStore& store);
  // Nothing is looked at any more, nor the disk.
  void leave();
  // The same; false where the disk or the store hangs for so long. Then neither the store nor this may be destroyed.
  [[nodiscard]] bool leaves_within(std::chrono::milliseconds bound);

 private:
  void look_at_disk();
  void learn_library();
  // How long it took.
  std::chrono::microseconds look_at_store();

  Observations& observations_;
  const Clock& clock_;
  const std::filesystem::path control_;
  const std::chrono::microseconds period_;
  LineLimit lines_;
  std::atomic<bool> is_leaving_ = false;
  BoundedMutex disk_mutex_, store_mutex_;  // each held while it is looked at
  queue::ReadableStore* store_ = nullptr;
  std::string backend_, library_;  // of the store, once it has been asked
  RecurringThread disk_thread_;
  RecurringThread store_thread_;
};

}  // namespace tenure::daemon
