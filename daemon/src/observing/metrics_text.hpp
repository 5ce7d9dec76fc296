#pragma once

#include "metric.hpp"

#include <string>
#include <string_view>

namespace tenure::daemon {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// In the text format of Prometheus.
[[nodiscard]] std::string metrics_text(const MetricFamilies& families);

}  // namespace tenure::daemon
