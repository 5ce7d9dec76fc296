#pragma once

#include "simulation.hpp"

#include <tenure/queue/stop_signal.hpp>

#include <map>
#include <vector>

// A worker process as the simulation plays it: for the sources of Simulation only.
namespace tenure::simulation {

inline constexpr microseconds kReapTime{300};  // from a signal to the parent's knowledge

struct Simulation::Worker {
  Worker(ProcessNumber process, std::int64_t of_life, const Options& options, const daemon::HelloFrame& hello)
      : number(process),
        life(of_life),
        schema(options.schema),
        daemon_end(process, static_cast<std::uint16_t>(options.slots), options.time_limit),
        end(hello) {}

  ProcessNumber number;
  std::int64_t life = 0;
  bool is_alive = true;
  bool is_hung = false;
  std::int64_t schema = 0;  // Options::schema, when it was started
  daemon::DaemonEnd daemon_end;
  daemon::WorkerEnd end;
  bool is_report_due = false;
  std::map<queue::JobSeq, queue::ClaimedJob> assigned;  // as the dispatcher knows them
  struct Running {
    queue::ClaimedJob job;
    Instant since;
    Performance performance;
    queue::StopSignal stop;
    bool has_enqueued = false;
  };
  std::map<queue::JobSeq, Running> running;
  std::vector<queue::AttemptEnd> ended;  // as the board tells it, with no bound
};

}  // namespace tenure::simulation
