#pragma once

#include "followed_runs.hpp"
#include "metric.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::daemon {

// The worker processes as the dispatcher's events and actions tell of them: which there are, and how they ended.
// Threads: one at a time.
class WorkerCounts {
 public:
  // The names of the pools, in the order of the dispatcher's settings; others while there is no process yet.
  explicit WorkerCounts(std::vector<std::string> pools) : pools_(std::move(pools)) {}
  void set_pools(std::vector<std::string> pools) { pools_ = std::move(pools); }

  void started(const StartProcess& start) { processes_[start.process].pool = start.pool; }
  void said_hello(const WorkerReady& ready);
  void is_told_to_leave(ProcessNumber process);
  // We end it ourselves.
  void is_ended(ProcessNumber process);
  void ponged(const Ponged& pong);
  void gone(const WorkerGone& gone);
  // One pool, or all.
  void set_quiet(std::optional<std::size_t> pool, bool is_quiet);

  // Of each pool, slots that are kept.
  void set_reserved(std::vector<std::int64_t> slots) { reserved_ = std::move(slots); }

  // `followed` of the same processes.
  void add_to(MetricFamilies& families, const FollowedRuns& followed) const;

 private:
  enum class Phase : std::uint8_t { starting, ready, leaving };
  struct Process {
    std::size_t pool = 0;
    Phase phase = Phase::starting;
    bool is_ended_by_us = false;
    std::int64_t memory = 0;
  };
  std::vector<std::string> pools_;
  std::set<std::size_t> quiet_;         // of them
  std::vector<std::int64_t> reserved_;  // of the first of them
  std::map<ProcessNumber, Process> processes_;
  std::map<std::pair<std::size_t, std::string_view>, std::int64_t> exits_;  // by pool and cause
};

}  // namespace tenure::daemon
