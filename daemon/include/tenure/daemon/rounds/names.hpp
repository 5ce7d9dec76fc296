#pragma once

#include <tenure/daemon/round_part.hpp>

#include <string>
#include <vector>

namespace tenure::daemon {

// Names of queues, kinds and, where pools name some, tenants that were met and are not known yet.
struct NamesPart {
  struct Ask {
    std::vector<queue::QueueNumber> queues;
    std::vector<queue::KindNumber> kinds;
    std::vector<TenantNumber> tenants = {};
  };
  // In the order of the ask.
  struct Answer {
    std::vector<std::string> queues;
    std::vector<std::string> kinds;
    std::vector<std::string> tenants = {};
  };

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
