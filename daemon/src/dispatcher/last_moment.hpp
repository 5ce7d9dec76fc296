#pragma once

#include "claim_ends.hpp"
#include "outstanding.hpp"
#include "processes.hpp"

#include <tenure/daemon/dispatcher.hpp>

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
  [[nodiscard]] std::size_t begun() const { return begun_; }
  // How the process ended for a job that had begun.
  [[nodiscard]] ProcessEnd end_of(const OutstandingJob& job) const;
  // The one job whose crash ended it; nothing where nobody is named, or we have ended it ourselves.
  [[nodiscard]] const std::optional<queue::ClaimRef>& named() const { return named_; }

 private:
  const Process& dead_;
  const WorkerGone& gone_;
  std::size_t begun_ = 0;
  std::optional<queue::ClaimRef> named_;
};

}  // namespace tenure::daemon
