#include "schedule_counts.hpp"

#include "metric_table.hpp"

namespace tenure::daemon {

void ScheduleCounts::count(const std::string& schedule, queue::TickResult result, std::int64_t ticks) {
  if (ticks > 0) ticks_[{names_.label(schedule), queue::name_of(result)}] += ticks;
}

void ScheduleCounts::stored(const RoundWork& work, const RoundReply& reply, Now now) {
  const auto& ask = work.ask<TicksPart>();
  const auto& answer = reply.answer<TicksPart>();
  if (!ask || !answer) return;
  for (std::size_t index = 0; index < ask->orders.size(); ++index) {
    const auto& [name, order] = ask->orders[index];
    const queue::TickReply& tick = (*answer)[index];
    if (tick.is_stale || tick.is_waiting) continue;
    if (order.fire) lag_.add(now.wall - *order.fire);
    count(name, queue::TickResult::fired, tick.fired);
    count(name, queue::TickResult::overlap, tick.overlapped);
    count(name, queue::TickResult::refused, tick.refused);
    count(name, queue::TickResult::missed, order.missed_count);
    count(name, queue::TickResult::paused, std::ssize(order.paused));
    count(name, queue::TickResult::tenant, tick.skipped == queue::TickResult::tenant ? 1 : 0);
  }
}

void ScheduleCounts::add_to(MetricFamilies& families) const {
  for (const auto& [key, ticks] : ticks_)
    families.add(metric::kScheduleTicks, {{"schedule", key.first}, {"result", std::string{key.second}}},
                 static_cast<double>(ticks));
  families.add(metric::kScheduleLag, {}, lag_.value());
}

}  // namespace tenure::daemon
