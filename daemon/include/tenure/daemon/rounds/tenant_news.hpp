#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// Tenants whose state somebody has changed since the last look: paused, resumed, created, drained.
struct TenantNewsPart {
  struct Ask {};
  using Answer = std::vector<queue::ChangedTenant>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
