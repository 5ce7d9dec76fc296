#include "metrics_text.hpp"

#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return prometheus::MetricType::Counter;
    case MetricType::histogram:
      return prometheus::MetricType::Histogram;
    case MetricType::gauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric::Histogram histogram_of(const HistogramValue& value) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = value.count;
  histogram.sample_sum = value.sum;
  for (const auto& [bound, count] : value.buckets) histogram.bucket.push_back({count, bound});
  histogram.bucket.push_back({value.count, std::numeric_limits<double>::infinity()});
  return histogram;
}

prometheus::ClientMetric point_of(const MetricPoint& point, MetricType type) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : point.labels) metric.label.push_back({std::string{name}, value});
  if (type == MetricType::counter) metric.counter.value = point.value;
  if (type == MetricType::gauge) metric.gauge.value = point.value;
  if (type == MetricType::histogram) metric.histogram = histogram_of(point.histogram);
  return metric;
}

}  // namespace

std::string metrics_text(const MetricFamilies& families) {
  std::vector<prometheus::MetricFamily> all;
  for (const MetricFamily& family : families.all()) {
    auto& to = all.emplace_back();
    to.name = family.info.name;
    to.help = family.info.help;
    to.type = type_of(family.info.type);
    for (const MetricPoint& point : family.points) to.metric.push_back(point_of(point, family.info.type));
  }
  return prometheus::TextSerializer{}.Serialize(all);
}

}  // namespace tenure::daemon
