#pragma once

#include <tenure/queue/pause.hpp>
#include <tenure/queue/records.hpp>

#include <string_view>
#include <vector>

// What every store decides alike of pauses. Internal.
namespace tenure::queue {

// BadOptions: its time.
[[nodiscard]] Result<void> check_pause(const NewPause& pause, WallTime now);
[[nodiscard]] tl::unexpected<Failure> unknown_paused(PauseScope scope, std::string_view name);
[[nodiscard]] tl::unexpected<Failure> too_many_pauses();
// To the rows of that scope; one that has had no job gets a row.
void add_pauses(std::vector<QueueRecord>& rows, const std::vector<PauseRecord>& pauses, PauseScope scope);

}  // namespace tenure::queue
