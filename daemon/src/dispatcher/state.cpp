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
      lone_jobs(processes, lanes),
      endings(lanes, arrivals, usual, lone_jobs, figures, settings.seed),
      cancelled_runs(settings, processes),
      limit_news(settings.limits),
      schedules(settings.schedules),
      key_turns(lanes),
      held_notes(settings),
      told_pools(pools_to_tell()),
      plan(settings, lanes, processes, usual),
      suspects(settings, lanes, processes, lone_jobs) {}

std::vector<queue::PoolRecord> DispatcherState::pools_to_tell() const {
  std::vector<queue::PoolRecord> pools = lanes.pools();
  for (std::size_t pool = 0; pool < pools.size(); ++pool)
    pools[pool].reserved = settings.pools[pool].reserved;
  for (const auto& [number, process] : processes.all())
    if (process.phase == Phase::ready && !process.alone)
      pools[process.pool].processes.push_back({number, static_cast<std::int64_t>(process.slots)});
  return pools;
}

}  // namespace tenure::daemon
