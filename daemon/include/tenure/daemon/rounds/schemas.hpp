#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>

namespace tenure::daemon {

// Tenants whose databases have had fewer migrations than worker programs want, where any has changed since the last look.
struct SchemasPart {
  struct Ask {
    queue::SchemasMark known;
    bool has_old = false;
  };
  using Answer = std::optional<queue::KnownSchemas>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
