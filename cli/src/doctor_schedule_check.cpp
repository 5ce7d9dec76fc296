#include "doctor_checks.hpp"
#include "schedules.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::size_t kWhyShown = 300;  // bytes

struct Schedules {
  std::vector<queue::ShownSchedule> all;
  std::set<std::string, std::less<>> kinds;  // that a job has had, or a worker program has named
};

Schedules schedules_of(queue::JobReader& reader) {
  Schedules found{.all = reader.schedules().schedules(), .kinds = {}};
  for (const queue::KindRecord& kind : reader.kinds()) found.kinds.insert(kind.name);
  for (const queue::PoolRecord& pool : reader.pools())
    found.kinds.insert(pool.kinds.begin(), pool.kinds.end());
  return found;
}

}  // namespace

void check_schedules(Examination& examination) {
  const Schedules found = examination.ask(&schedules_of);
  bool is_well = true;
  for (const queue::ShownSchedule& schedule : found.all) {
    const queue::ScheduleEntry& entry = schedule.record.entry;
    const std::string command = "tenure schedule show " + escaped(entry.name);
    if (!schedule.disabled.empty()) {
      examination.add(
          schedule.record.problem.empty() ? FindingLevel::warn : FindingLevel::fail, "schedules",
          fmt::format("{} has no ticks: {}", escaped(entry.name), escaped(schedule.disabled, kWhyShown)),
          command);
    } else if (!found.kinds.contains(entry.kind)) {
      examination.add(
          FindingLevel::warn, "schedules",
          fmt::format("{} makes jobs of the kind {}, which no job has had and no worker program has named",
                      escaped(entry.name), escaped(entry.kind)),
          command);
    } else if (schedule.record.paused) {
      examination.add(FindingLevel::warn, "schedules",
                      fmt::format("{} is paused since {}, by {}", escaped(entry.name),
                                  full_time_text(schedule.record.paused->since, examination.style()),
                                  escaped(schedule.record.paused->login)),
                      "tenure schedule resume " + escaped(entry.name));
    } else {
      continue;
    }
    is_well = false;
  }
  if (is_well)
    examination.add(FindingLevel::ok, "schedules",
                    found.all.empty() ? std::string{"there are none"}
                                      : counted(std::ssize(found.all), "schedule", examination.style()) +
                                            ", and nothing is wrong with any");
}

}  // namespace tenure::cli
