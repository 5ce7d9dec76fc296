#pragma once

#include <tenure/daemon/round_part.hpp>

#include <optional>
#include <vector>

namespace tenure::daemon {

// Limits, where any has changed since the last look; what the configuration declares is told first. Before anything is claimed also the
// starts that dispatchers before this one have noted.
struct LimitsPart {
  struct Ask {
    queue::LimitsMark known;
    std::optional<std::vector<queue::DeclaredLimit>> declared;
    bool wants_buckets = false;
  };
  struct Answer {
    std::optional<queue::OpenLimits> open;
    std::vector<queue::StartBucket> buckets;
  };

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
