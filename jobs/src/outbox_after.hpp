#pragma once

#include "job_run.hpp"
#include "seen_outboxes.hpp"

#include <tenure/queue/outbox.hpp>

#include <optional>

namespace tenure::detail {

// What the daemon is told of the tenant's outbox at the end of a run that has written rows, and of the first of its tenant in this
// process: nothing where there are none. Where the file cannot be read now, that somebody has to look at it. In the job's scope, whatever the
// handler has left open.
[[nodiscard]] std::optional<queue::OutboxReport> outbox_after(JobRun& run, SeenOutboxes& seen);

}  // namespace tenure::detail
