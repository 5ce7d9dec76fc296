#pragma once

#include "claim_ends.hpp"
#include "outstanding.hpp"
#include "processes.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

// What a worker process did when it ended: which of its jobs had begun, and whose crash it was. By its board, where it kept one; else by
// what the dispatcher believes, and then nobody is named.
namespace tenure::daemon {

class LastMoment {
 public:
  // Both must outlive it.
  LastMoment(const Process& dead, const WorkerGone& gone);

  // `is_believed`: the dispatcher counts it among those that perform.
  [[nodiscard]] bool had_begun(const OutstandingJob& job, bool is_believed) const;
  // How many of them were being performed.
  [[nodiscard]] std::size_t begun() const { return begun_; }
  // How its run had ended, which nobody has told; nullptr where it had not, or was named after it.
  [[nodiscard]] const AttemptEnd* untold_end(const OutstandingJob& job) const;
  // What its run has used; nothing where nobody knows.
  [[nodiscard]] std::optional<std::chrono::microseconds> run_time_of(const OutstandingJob& job,
                                                                     bool is_believed) const;
  // How the process ended for a job that had begun.
  [[nodiscard]] ProcessEnd end_of(const OutstandingJob& job) const;
  // The one job whose crash ended it; nothing where nobody is named, or we have ended it ourselves.
  [[nodiscard]] const std::optional<queue::ClaimRef>& named() const { return named_; }

 private:
  [[nodiscard]] bool has_crashed(const OutstandingJob& job) const;

  const Process& dead_;
  const WorkerGone& gone_;
  std::size_t begun_ = 0;
  std::optional<queue::ClaimRef> named_;
};

// For whose time limit it was ended.
[[nodiscard]] bool is_timed_out(const Process& dead, const OutstandingJob& job);

}  // namespace tenure::daemon
