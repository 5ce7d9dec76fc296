#pragma once

#include <tenure/daemon/round_part.hpp>

namespace tenure::daemon {

// One suspect is claimed. An ordered commit is enough: what the death of the daemon does not undo a reboot may, and that charges nobody.
struct TrialsPart {
  using Ask = queue::SuspectRequest;
  using Answer = queue::ClaimReply;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
