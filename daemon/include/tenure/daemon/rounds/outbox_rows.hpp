#pragma once

#include <tenure/daemon/round_part.hpp>

#include <vector>

namespace tenure::daemon {

// Rows of tenants' outboxes, as worker processes have told them with the ends of runs. They come before these ends and in their commit,
// or in one before it: of a job that has ended nothing is left that only it could bring. They are acknowledged when that commit has been
// synced (outbox_sync.hpp).
struct OutboxRowsPart {
  struct Told {
    queue::ProcessNumber process;
    queue::OutboxReport report;
  };
  using Ask = std::vector<Told>;
  // In the order of the ask.
  using Answer = std::vector<queue::Relayed>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
