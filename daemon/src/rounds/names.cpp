#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/names.hpp>

namespace tenure::daemon {

std::optional<NamesPart::Ask> NamesPart::ask(DispatcherState& state) {
  if (state.stopping.is_asked()) return std::nullopt;
  Ask ask{state.lanes.unnamed_queues(kRoundRowsMax), state.lanes.unnamed_kinds(kRoundRowsMax),
          state.lanes.unnamed_tenants(kRoundRowsMax)};
  if (ask.queues.empty() && ask.kinds.empty() && ask.tenants.empty()) return std::nullopt;
  return ask;
}

NamesPart::Answer NamesPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime) {
  Answer names;
  for (const queue::QueueNumber queue : ask.queues) names.queues.push_back(writer.reader().queue_name(queue));
  for (const queue::KindNumber kind : ask.kinds) names.kinds.push_back(writer.reader().kind_name(kind));
  for (const TenantNumber tenant : ask.tenants) names.tenants.push_back(writer.reader().tenant_name(tenant));
  return names;
}

void NamesPart::absorb(DispatcherState& state, const Ask& ask, Answer& names) {
  TENURE_INVARIANT(names.queues.size() == ask.queues.size() && names.kinds.size() == ask.kinds.size() &&
                   names.tenants.size() == ask.tenants.size());
  for (std::size_t index = 0; index < ask.queues.size(); ++index)
    state.lanes.name_queue(ask.queues[index], names.queues[index]);
  state.lanes.name_kinds(ask.kinds, names.kinds);
  if (ask.tenants.empty()) return;
  for (std::size_t index = 0; index < ask.tenants.size(); ++index)
    state.lanes.name_tenant(ask.tenants[index], names.tenants[index]);
  state.lone_jobs.find_pools();
}

// They are still unknown, so they are asked again.
void NamesPart::undo(DispatcherState&, const Ask&) {}

}  // namespace tenure::daemon
