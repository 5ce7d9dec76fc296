#pragma once

#include "runs.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <map>

namespace tenure::daemon {

// What each worker process performs, followed by what the dispatcher is told and wants.
// Threads: one at a time.
class FollowedRuns {
 public:
  // Whoever wants to know.
  class Listener {
   public:
    virtual void began(const Run& run, Now now) = 0;
    // Its worker process has said how.
    virtual void ended(const Run& run, const AttemptEnd& end) = 0;
    // It has ended, or went with its worker process, and performed until now where it has `since`.
    virtual void left(const Run& run, Now now) = 0;

   protected:
    ~Listener() = default;
  };

  void happened(const Event& event, Now now, Listener& listener);
  void decided(const Actions& actions, Now now, Listener& listener);

  // Null where there is no such process.
  [[nodiscard]] const Runs* of(ProcessNumber process) const;
  // fn(run) for each that performs now.
  template <class Function>
  void for_each_performing(Function&& fn) const {
    for (const auto& [number, runs] : processes_)
      runs.for_each([&](const Run& run) {
        if (run.since) fn(run);
      });
  }

 private:
  [[nodiscard]] Runs* find(ProcessNumber process);
  void ended(const AttemptsEnded& event, Now now, Listener& listener);
  void assigned(const Assign& assignment, Now now, Listener& listener);

  std::map<ProcessNumber, Runs> processes_;
};

}  // namespace tenure::daemon
