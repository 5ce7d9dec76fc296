#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>

namespace tenure::daemon {

// The sync behind which rows of outboxes that were taken over are acknowledged. The commits that take them over are ordered, and one
// sync is for all that came since the last: a power cut undoes jobs and the ends of the runs that made them together, and nobody has
// deleted a row. So it carries out nothing, but the commit that it is part of is durable, and with it every earlier one.
struct OutboxSyncPart {
  struct Ask {};
  struct Answer {};

  static constexpr auto kDurability = queue::Durability::durable;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
