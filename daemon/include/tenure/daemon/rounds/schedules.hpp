#pragma once

#include <tenure/daemon/round_part.hpp>
#include <tenure/queue/schedule.hpp>

namespace tenure::daemon {

// Schedules, where any has changed since the last look.
struct SchedulesPart {
  struct Ask {
    queue::SchedulesMark known;
  };
  using Answer = std::optional<queue::OpenSchedules>;

  static constexpr auto kDurability = queue::Durability::ordered;
  static constexpr auto kAskedBy = AskedBy::look;

  static std::optional<Ask> ask(DispatcherState& state);
  static Answer carry_out(queue::StoreWriter& writer, const Ask& ask, WallTime now);
  static void absorb(DispatcherState& state, const Ask& ask, Answer& answer);
  static void undo(DispatcherState& state, const Ask& ask);
};

}  // namespace tenure::daemon
