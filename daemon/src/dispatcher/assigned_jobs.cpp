#include "assigned_jobs.hpp"

namespace tenure::daemon {

void count_assigned(DispatcherState& state, Process& process, std::vector<queue::ClaimedJob>& jobs) {
  if (jobs.empty()) return;
  const TenantNumber tenant = jobs.front().lane.tenant;
  std::int64_t charge_us = 0;
  for (queue::ClaimedJob& job : jobs) {
    job.capture = state.captures.wish_for(job, state.now.wall);
    const std::int64_t usual_us = state.usual[process.pool].of(job.lane.kind).count();
    charge_us += usual_us;
    process.assigned(job, usual_us, state.now.steady);
  }
  Ring& ring = state.lanes.ring(process.pool);
  ring.assigned(tenant, process.number, static_cast<int>(jobs.size()));
  ring.charge(tenant, charge_us);
  process.recent_tenants.use(tenant);
  state.figures.started += static_cast<std::int64_t>(jobs.size());
}

}  // namespace tenure::daemon
