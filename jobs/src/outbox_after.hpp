#pragma once

#include "job_run.hpp"

#include <tenure/queue/outbox.hpp>

#include <optional>

namespace tenure::detail {

// What the daemon is told of the tenant's outbox at the end of a run: nothing where the run has written no row. Where the file cannot be
// read now, that somebody has to look at it. In the job's scope, whatever the handler has left open.
[[nodiscard]] std::optional<queue::OutboxReport> outbox_after(JobRun& run);

}  // namespace tenure::detail
