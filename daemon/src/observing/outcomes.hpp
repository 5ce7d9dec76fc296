#pragma once

#include <tenure/daemon/round.hpp>
#include <tenure/queue/types.hpp>

#include <string_view>

namespace tenure::daemon {

// The word of an attempt whose end is stored, in the state that its job has now: "succeeded", "failed", "released", "interrupted",
// "cancelled"; empty where there was no attempt.
[[nodiscard]] std::string_view outcome_of(const ClaimEnd& end, queue::JobState state);

}  // namespace tenure::daemon
