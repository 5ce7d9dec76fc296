#include "kept_room.hpp"

#include <limits>

namespace tenure::daemon {

KeptRoom::KeptRoom(std::span<const queue::ReservedSlots> reserved, std::size_t pool,
                   const Processes& processes) {
  for (const queue::ReservedSlots& each : reserved) kept_.push_back({each});
  if (kept_.empty()) return;
  for (const auto& [number, process] : processes.all()) {
    if (process.pool != pool || !process.takes_jobs()) continue;
    slots_ += static_cast<std::int64_t>(process.slots);
    process.jobs.for_each([this](const OutstandingJob& job, bool) { planned(job.lane.priority, 1); });
  }
}

bool KeptRoom::may_wait_ahead(queue::Priority priority) const {
  return room(priority) == std::numeric_limits<std::int64_t>::max();
}

void KeptRoom::planned(queue::Priority priority, std::size_t jobs) {
  for (queue::KeptSlots& kept : kept_)
    if (priority > kept.reserved.priority) kept.worse += static_cast<std::int64_t>(jobs);
}

const KeptRoom& KeptRooms::of(std::size_t pool) {
  std::optional<KeptRoom>& room = rooms_[pool];
  if (!room) {
    room.emplace(settings_.pools[pool].reserved, pool, processes_);
    ++counted_;
  }
  return *room;
}

}  // namespace tenure::daemon
