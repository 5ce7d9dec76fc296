#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/tenant_news.hpp>

namespace tenure::daemon {

std::optional<TenantNewsPart::Ask> TenantNewsPart::ask(DispatcherState& state) {
  if (!state.is_looking()) return std::nullopt;
  return Ask{};
}

TenantNewsPart::Answer TenantNewsPart::carry_out(queue::StoreWriter& writer, const Ask&, WallTime) {
  return writer.take_changed_tenants(kRoundRowsMax);
}

void TenantNewsPart::absorb(DispatcherState& state, const Ask&, Answer& changed) {
  for (const queue::ChangedTenant& each : changed) {
    state.lanes.set_tenant_state(each.tenant, each.state);
    state.lone_jobs.set_tenant_state(each.tenant, each.state);
  }
  if (changed.size() >= kRoundRowsMax) state.looks.soon();
}

void TenantNewsPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
