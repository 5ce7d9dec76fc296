#include "state.hpp"

#include <utility>

namespace tenure::daemon {

DispatcherState::DispatcherState(DispatcherSettings given)
    : settings(std::move(given)),
      lanes(settings.pools),
      processes(settings),
      replacements(settings, processes),
      quiet_pools(settings, processes),
      usual(settings.pools.size()),
      looks(settings.poll),
      arrivals(lanes),
      lone_jobs(processes),
      endings(lanes, arrivals, usual, lone_jobs, figures, settings.seed),
      cancelled_runs(settings, processes),
      held_notes(settings),
      told_pools(lanes.pools()),
      plan(lanes, processes, usual),
      suspects(settings, lanes, processes) {}

}  // namespace tenure::daemon
