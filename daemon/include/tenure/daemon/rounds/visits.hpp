#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/queue/fan_out.hpp>

#include <string>
#include <vector>

namespace tenure::daemon {

// Fan-outs visit their next tenants, with the jobs that they make; those that are cancelled cancel what has not started.
struct VisitsPart {
  struct Order {
    std::string name;  // of the fan-out
    queue::VisitOrder order;
  };
  struct Ask {
    std::vector<Order> orders;
  };
  using Answer = std::vector<queue::VisitReply>;  // of each order

  static constexpr auto kDurability = queue::Durability::durable;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
