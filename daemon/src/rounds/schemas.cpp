#include "../dispatcher/state.hpp"

#include <tenure/daemon/rounds/schemas.hpp>

namespace tenure::daemon {

// While it scans, too: nothing may be claimed before they are known.
std::optional<SchemasPart::Ask> SchemasPart::ask(DispatcherState& state) {
  if (!state.is_looking() && !state.is_in(Stage::scanning)) return std::nullopt;
  return Ask{state.schemas.mark(), state.schemas.has_old(state.now.wall)};
}

SchemasPart::Answer SchemasPart::carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now) {
  if (ask.has_old) writer.forget_behind_noted(now - queue::kBehindTrusted);
  return writer.known_schemas(ask.known);
}

void SchemasPart::absorb(DispatcherState& state, const Ask&, Answer& known) {
  if (!known) return;
  state.schemas.read(*known);
  for (const TenantNumber tenant : known->level) state.lanes.is_level(tenant);
  if (!known->is_all) {
    for (const queue::TenantBehind& tenant : known->tenants)
      state.lanes.is_behind(tenant.tenant, tenant.wanted);
    return;
  }
  std::map<TenantNumber, std::int64_t> behind;
  for (const queue::TenantBehind& tenant : known->tenants) behind[tenant.tenant] = tenant.wanted;
  state.lanes.set_behind(behind);
}

void SchemasPart::undo(DispatcherState& state, const Ask&) { state.looks.soon(); }

}  // namespace tenure::daemon
