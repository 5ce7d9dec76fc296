#pragma once

#include <tenure/queue/schedule.hpp>

#include <utility>
#include <vector>

namespace tenure::queue {

// The schedules as a configuration writes them, whose type queue/ does not know: it has a member for each setting of [[schedule]].
template <class WrittenSchedules>
[[nodiscard]] std::vector<DeclaredSchedule> declared_schedules(const WrittenSchedules& all) {
  std::vector<DeclaredSchedule> declared;
  for (const auto& written : all) {
    ScheduleEntry entry;
    entry.name = written.name;
    entry.kind = written.kind;
    entry.queue = written.queue;
    entry.priority = static_cast<int>(written.priority);
    entry.attempts_max = static_cast<int>(written.attempts);
    entry.rule = {.cron = written.cron, .every = written.every, .time_zone = written.time_zone};
    entry.arguments = written.arguments;
    entry.spread = written.spread;
    declared.push_back(declared_schedule(std::move(entry), written.scope, written.catch_up, written.overlap));
  }
  return declared;
}

}  // namespace tenure::queue
