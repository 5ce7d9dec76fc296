#include "job_rules.hpp"
#include "pause_rules.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::queue {

std::string_view name_of(PauseScope scope) {
  switch (scope) {
    case PauseScope::queue:
      return "queue";
    case PauseScope::kind:
      return "kind";
    case PauseScope::tenant:
      return "tenant";
  }
  return "unknown";
}

Result<void> check_pause(const NewPause& pause, WallTime now) {
  if (pause.until && *pause.until <= now)
    return fail(ErrorCode::bad_options, "the end of a pause must be to come");
  return {};
}

tl::unexpected<Failure> unknown_paused(PauseScope scope, std::string_view name) {
  if (scope == PauseScope::kind)
    return fail(ErrorCode::unknown_kind,
                fmt::format("there is no kind {}: no job has had it, and no worker program has named it",
                            escaped(name)));
  return fail(ErrorCode::record_not_found,
              fmt::format("there is no queue {}: no job has had it, and no pool lists it", escaped(name)));
}

tl::unexpected<Failure> too_many_pauses() {
  return fail(ErrorCode::limit_reached,
              fmt::format("{} queues and kinds are paused already, and there are no more", kPausesMax));
}

void add_pauses(std::vector<QueueRecord>& rows, const std::vector<PauseRecord>& pauses, PauseScope scope) {
  for (const PauseRecord& pause : pauses) {
    if (pause.scope != scope) continue;
    auto row = std::ranges::find(rows, pause.name, &QueueRecord::name);
    if (row == rows.end()) {
      const auto place = std::ranges::lower_bound(rows, pause.name, {}, &QueueRecord::name);
      QueueRecord empty;
      empty.name = pause.name;
      row = rows.insert(place, std::move(empty));
    }
    row->pause = pause;
  }
}

}  // namespace tenure::queue
