#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/run.hpp>

#include <exception>
#include <optional>

// What becomes of a job whose handler has thrown, as the handler itself or its kind says.
namespace tenure::detail {

// Nothing: neither says anything of it, and the dispatcher's own rule holds. `failure` is of `thrown`. Of the same job and number of
// failures the wait is always the same.
[[nodiscard]] std::optional<queue::RunDecision> decision_on(const std::exception_ptr& thrown,
                                                            const queue::AttemptFailure& failure,
                                                            const FailurePolicy& policy,
                                                            const queue::AssignedJob& job, WallTime now);

}  // namespace tenure::detail
