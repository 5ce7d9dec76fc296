#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/tenant_states.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tenure::daemon {

std::optional<TenantStatesPart::Ask> TenantStatesPart::ask(DispatcherState& state) {
  if (!state.is_in(Stage::scanning) && !state.is_in(Stage::working)) return std::nullopt;
  Ask tenants = state.arrivals.take_scanned_tenants();
  if (tenants.empty() && state.is_in(Stage::working) && state.looks.is_poll(state.now.steady)) {
    tenants = state.lanes.parked_tenants(kRoundRowsMax);
    std::ranges::copy(state.lone_jobs.gated_tenants(), std::back_inserter(tenants));
  }
  if (tenants.empty()) return std::nullopt;
  return tenants;
}

TenantStatesPart::Answer TenantStatesPart::carry_out(queue::StoreWriter& writer, const Ask& tenants,
                                                     WallTime) {
  Answer states;
  states.reserve(tenants.size());
  for (const TenantNumber tenant : tenants)
    states.push_back(writer.reader().tenant_state(tenant).value_or(TenantState::deleted));
  return states;
}

void TenantStatesPart::absorb(DispatcherState& state, const Ask& tenants, Answer& states) {
  TENURE_INVARIANT(states.size() == tenants.size());
  for (std::size_t index = 0; index < tenants.size(); ++index) {
    state.lanes.set_tenant_state(tenants[index], states[index]);
    state.lone_jobs.set_tenant_state(tenants[index], states[index]);
  }
}

void TenantStatesPart::undo(DispatcherState& state, const Ask& tenants) { state.arrivals.ask_again(tenants); }

}  // namespace tenure::daemon
