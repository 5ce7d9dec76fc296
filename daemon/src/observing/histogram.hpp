#pragma once

#include "metric.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tenure::daemon {

// Durations counted by how long they are, from 1 ms to 5 h.
class DurationHistogram {
 public:
  static constexpr std::array<double, 18> kBounds{.001, .0025, .005, .01, .025, .05, .1,   .25,  .5, 1,
                                                  2.5,  5,     10,   60,  300,  900, 3600, 18000};  // seconds

  void add(std::chrono::microseconds duration) {
    const double seconds = std::max(0.0, static_cast<double>(duration.count()) / 1e6);
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    ++counts_[bucket];
    sum_ += seconds;
  }
  [[nodiscard]] HistogramValue value() const {
    HistogramValue value;
    for (std::size_t bucket = 0; bucket < kBounds.size(); ++bucket) {
      value.count += counts_[bucket];
      value.buckets.emplace_back(kBounds[bucket], value.count);
    }
    value.count += counts_.back();
    value.sum = sum_;
    return value;
  }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

}  // namespace tenure::daemon
