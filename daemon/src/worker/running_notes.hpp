#pragma once

#include <tenure/queue/run_notes.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

// What the runs of this process tell of themselves, for whoever sends it on. Threads: any.
namespace tenure::daemon {

class RunningNotes {
 public:
  // For as long as the job is performed.
  class Entry {
   public:
    Entry(RunningNotes& all, queue::ClaimRef claim, std::function<void()> on_first)
        : all_(all), notes_(claim, std::move(on_first)) {
      const std::lock_guard lock(all_.mutex_);
      all_.entries_.push_back(&notes_);
    }
    ~Entry() {
      const std::lock_guard lock(all_.mutex_);
      std::erase(all_.entries_, &notes_);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    [[nodiscard]] queue::RunNotes& notes() { return notes_; }

   private:
    RunningNotes& all_;
    queue::RunNotes notes_;
  };

  // What is new of each.
  [[nodiscard]] std::vector<queue::RunNews> take() {
    std::vector<queue::RunNews> taken;
    const std::lock_guard lock(mutex_);
    for (queue::RunNotes* const notes : entries_)
      if (auto news = notes->take()) taken.push_back(*std::move(news));
    return taken;
  }

 private:
  std::mutex mutex_;
  std::vector<queue::RunNotes*> entries_;  // as many as there are slots
};

}  // namespace tenure::daemon
