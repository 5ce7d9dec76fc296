#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// In which state tenants are: of those that the scan has met, and at each poll of those whose lanes are parked.
struct TenantStatesPart {
  using Ask = std::vector<TenantNumber>;
  using Answer = std::vector<TenantState>;  // in the order of the ask; a tenant without a row is deleted

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
