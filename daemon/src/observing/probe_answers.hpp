#pragma once

#include "http_message.hpp"
#include "observations.hpp"

#include <tenure/base/clock.hpp>

namespace tenure::daemon {

// The answer to whoever asks on the probe listener: /health/live, /health/ready, /health/started, /metrics. GET and HEAD alone.
[[nodiscard]] HttpResponse answer_probe(const HttpRequest& request, Observations& observations, Now now);

}  // namespace tenure::daemon
