#pragma once

#include "metric.hpp"
#include "runs.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::daemon {

// The worker processes as the dispatcher's events and actions tell of them: which there are, and what each was given.
// Threads: one at a time.
class WorkerCounts {
 public:
  // The names of the pools, in the order of the dispatcher's settings.
  explicit WorkerCounts(std::vector<std::string> pools) : pools_(std::move(pools)) {}

  void started(const StartProcess& start) { processes_[start.process].pool = start.pool; }
  void said_hello(const WorkerReady& ready);
  void is_told_to_leave(ProcessNumber process);
  // We end it ourselves.
  void is_ended(ProcessNumber process);
  void ponged(const Ponged& pong);
  void gone(const WorkerGone& gone);

  // Nothing where there is no such process.
  [[nodiscard]] Runs* runs_of(ProcessNumber process);
  // fn(run) for each that performs now.
  template <class Function>
  void for_each_performing(Function&& fn) const {
    for (const auto& [number, process] : processes_)
      process.runs.for_each([&](const Run& run) {
        if (run.since) fn(run);
      });
  }

  void add_to(MetricFamilies& families) const;

 private:
  enum class Phase : std::uint8_t { starting, ready, leaving };
  struct Process {
    std::size_t pool = 0;
    Phase phase = Phase::starting;
    bool is_ended_by_us = false;
    std::int64_t memory = 0;
    Runs runs;
  };
  std::vector<std::string> pools_;
  std::map<ProcessNumber, Process> processes_;
  std::map<std::pair<std::size_t, std::string_view>, std::int64_t> exits_;  // by pool and cause
};

}  // namespace tenure::daemon
