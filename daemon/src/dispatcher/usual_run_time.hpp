#pragma once

#include "remembered.hpp"

#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstdint>
#include <unordered_map>

// How long the jobs of each kind usually run in one pool: what fairness charges in advance, and what decides whether a
// job may be assigned ahead. The mean of the first runs, then an exponential average. Integers, so that a replay agrees.
namespace tenure::daemon {

// Assumed of a kind that has never run: too slow to be assigned ahead, fast enough to be claimed a few at a time.
inline constexpr std::chrono::microseconds kUsualRunTimeGuess{10'000};
// A run counts for one eighth once so many are known.
inline constexpr int kUsualRunSamples = 8;

class UsualRunTimes {
 public:
  // At least 1 us: a kind that costs nothing would never be charged.
  [[nodiscard]] std::chrono::microseconds of(queue::KindNumber kind) const;
  // Whether that is more than a guess.
  [[nodiscard]] bool knows(queue::KindNumber kind) const { return averages_.contains(kind); }
  void learn(queue::KindNumber kind, std::chrono::microseconds run_time);

 private:
  struct Average {
    std::int64_t sixteenths_us = 0;
    int samples = 0;
  };
  std::unordered_map<queue::KindNumber, Average> averages_;  // never iterated

  TENURE_REMEMBERS(averages)
};

}  // namespace tenure::daemon
