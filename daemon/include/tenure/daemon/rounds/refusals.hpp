#pragma once

#include <tenure/daemon/round_part.hpp>

#include <cstdint>
#include <optional>

namespace tenure::daemon {

// One row of the audit for all jobs that were refused at a tenant's border and have none to themselves.
struct RefusalsPart {
  struct Ask {
    std::int64_t count = 0;
  };
  struct Answer {};

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
