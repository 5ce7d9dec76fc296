#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a scrape is answered with, as plain values; how they are written down is another matter (metrics_text.hpp).
namespace tenure::daemon {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

// A metric as it is declared, once, in metric_table.hpp.
struct MetricInfo {
  std::string_view name;  // tenure_noun_unit_total
  MetricType type = MetricType::gauge;
  std::string_view help;
};

// In the order of their bounds, the last without one.
struct HistogramValue {
  std::vector<std::pair<double, std::uint64_t>> buckets;  // bound, how many are at most so large
  std::uint64_t count = 0;
  double sum = 0;
  friend bool operator==(const HistogramValue&, const HistogramValue&) = default;
};

using Labels = std::vector<std::pair<std::string_view, std::string>>;  // name, value

struct MetricPoint {
  Labels labels;
  double value = 0;
  HistogramValue histogram = {};  // of a histogram, instead
};

struct MetricFamily {
  MetricInfo info;
  std::vector<MetricPoint> points;
};

// Of one scrape. Families come in the order in which they were first added to.
class MetricFamilies {
 public:
  // A metric without a point is not told of.
  void add(const MetricInfo& info, Labels labels, double value) {
    family(info).points.push_back({std::move(labels), value});
  }
  void add(const MetricInfo& info, Labels labels, HistogramValue histogram) {
    family(info).points.push_back({std::move(labels), 0, std::move(histogram)});
  }
  [[nodiscard]] const std::vector<MetricFamily>& all() const { return all_; }

 private:
  MetricFamily& family(const MetricInfo& info) {
    const auto [place, is_new] = places_.emplace(info.name, all_.size());
    if (is_new) all_.push_back({info, {}});
    return all_[place->second];
  }
  std::vector<MetricFamily> all_;
  std::map<std::string_view, std::size_t> places_;
};

// Where nobody may make a label of his own: names begin with a letter.
inline constexpr std::string_view kOtherLabel = "_other";

}  // namespace tenure::daemon
