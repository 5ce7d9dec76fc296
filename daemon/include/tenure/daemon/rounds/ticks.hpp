#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/queue/schedule.hpp>

#include <string>
#include <vector>

namespace tenure::daemon {

// Schedules of the configuration are declared, and ticks that are due are decided with the jobs that they make.
struct TicksPart {
  struct Order {
    std::string name;  // of the schedule
    queue::TickOrder order;
  };
  struct Ask {
    std::optional<std::vector<queue::DeclaredSchedule>> declared;
    std::vector<Order> orders;
    std::size_t tenants_max = 0;  // of each order
  };
  using Answer = std::vector<queue::TickReply>;  // of each order

  static constexpr auto kDurability = queue::Durability::durable;
  static constexpr auto kAskedBy = AskedBy::need;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
