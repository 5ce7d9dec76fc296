#pragma once

#include <tenure/queue/run.hpp>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tenure::queue {

// Between a handler that tells of its run as often as it likes and whoever sends that on now and then: the latest of each kind stays.
// Threads: any.
class RunNotes {
 public:
  // `on_first` is called where there is something to take and was nothing before, by the thread that tells it and under no lock.
  explicit RunNotes(ClaimRef claim, std::function<void()> on_first = {})
      : claim_(claim), on_first_(std::move(on_first)) {}

  void tell(Progress progress) {
    put([&] { progress_ = std::move(progress); });
  }
  void save(std::string_view cursor) {
    put([&] { cursor_ = cursor; });
  }
  // Nothing: there is nothing new.
  [[nodiscard]] std::optional<RunNews> take() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(has_any_, false)) return std::nullopt;
    return RunNews{claim_, std::exchange(progress_, std::nullopt), std::exchange(cursor_, {})};
  }

 private:
  template <class Put>
  void put(Put&& what) {
    bool is_first = false;
    {
      const std::lock_guard lock(mutex_);
      what();
      is_first = !std::exchange(has_any_, true);
    }
    if (is_first && on_first_) on_first_();
  }

  const ClaimRef claim_;
  const std::function<void()> on_first_;
  std::mutex mutex_;
  bool has_any_ = false;
  std::optional<Progress> progress_;
  std::string cursor_;
};

}  // namespace tenure::queue
