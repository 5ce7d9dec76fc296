#pragma once

#include "job_run.hpp"

#include <tenure/replay/run_record.hpp>

// Which rows a run changes. In the job's scope. Internal.
namespace tenure::detail {

// Leases the run's handle and records what is done with it from now on.
void begin_recording(JobRun& run);
// Whatever its handler has left open is rolled back; adds the changes, and the cursor, to `record`. Where it throws nothing is recorded any
// more, either.
void end_recording(JobRun& run, replay::RunRecord& record);

}  // namespace tenure::detail
