#pragma once

#include <tenure/queue/capture.hpp>

#include <string_view>

// What every store decides alike of requests for capsules. Internal.
namespace tenure::queue {

// BadOptions: target, count or time.
[[nodiscard]] Result<void> check_capture(const NewCapture& request, WallTime now);
// StateChanged for a job that has succeeded; BadOptions for one without a tenant, of whose database a capsule is made.
[[nodiscard]] Result<void> check_captured_job(JobId id, JobState state, TenantNumber tenant);
[[nodiscard]] tl::unexpected<Failure> unknown_capture_kind(std::string_view kind);
[[nodiscard]] tl::unexpected<Failure> too_many_captures();

// What is kept of the failure of a capture: its message, and where it was.
[[nodiscard]] Failure kept_failure(const Failure& failure);

}  // namespace tenure::queue
