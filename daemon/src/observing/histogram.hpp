#pragma once

#include "metric.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>

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
  DurationHistogram& operator+=(const DurationHistogram& other) {
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) counts_[bucket] += other.counts_[bucket];
    sum_ += other.sum_;
    return *this;
  }
  [[nodiscard]] std::uint64_t count() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  }
  // What so great a part of them, between 0 and 1, did not exceed, as if they were evenly spread between two bounds; of those beyond the
  // last bound, that one. Nothing where there are none.
  [[nodiscard]] std::optional<std::chrono::microseconds> quantile(double part) const {
    const double wanted = part * static_cast<double>(count());
    double seen = 0;
    for (std::size_t bucket = 0; bucket < kBounds.size(); ++bucket) {
      const auto here = static_cast<double>(counts_[bucket]);
      if (here == 0 || seen + here < wanted) {
        seen += here;
        continue;
      }
      const double low = bucket == 0 ? 0 : kBounds[bucket - 1];
      const double seconds = low + (kBounds[bucket] - low) * (wanted - seen) / here;
      return std::chrono::microseconds{std::llround(seconds * 1e6)};
    }
    if (counts_.back() == 0) return std::nullopt;
    return std::chrono::microseconds{std::llround(kBounds.back() * 1e6)};
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
