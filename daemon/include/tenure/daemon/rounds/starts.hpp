#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// What the claims of this round take of limits: the buckets of rates are noted in their commit, and with the answer nothing is planned any
// more.
struct StartsPart {
  using Ask = std::vector<queue::BucketNote>;
  struct Answer {};

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
