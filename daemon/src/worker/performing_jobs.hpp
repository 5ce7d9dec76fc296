#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/queue/run.hpp>

#include <list>
#include <mutex>

namespace tenure::daemon {

// What the slots of this process do, for whoever asks. Threads: any.
class PerformingJobs {
 public:
  // For as long as the job is performed, which outlives it.
  class Entry {
   public:
    Entry(PerformingJobs& jobs, const queue::AssignedJob& job, Instant since);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend PerformingJobs;
    PerformingJobs& jobs_;
    const queue::AssignedJob& job_;
    const Instant since_;
    std::list<const Entry*>
        node_;  // its place in the list, so that neither begin nor end allocates under the lock
    std::list<const Entry*>::iterator place_;
  };

  // A line for each of them, and one that says how many they are.
  void describe(Instant now);

 private:
  ProcessBound process_;
  std::mutex mutex_;
  std::list<const Entry*> entries_;
};

}  // namespace tenure::daemon
