#include "usual_run_time.hpp"

#include <algorithm>

namespace tenure::daemon {

namespace {
constexpr std::int64_t kSixteen = 16;
// A clock that went wild inside a worker must not overflow the sums.
constexpr std::chrono::microseconds kRunTimeMax = std::chrono::hours{24 * 365};
}  // namespace

std::chrono::microseconds UsualRunTimes::of(queue::KindNumber kind) const {
  const auto found = averages_.find(kind);
  if (found == averages_.end()) return kUsualRunTimeGuess;
  return std::chrono::microseconds{std::max<std::int64_t>(1, found->second.sixteenths_us / kSixteen)};
}

void UsualRunTimes::learn(queue::KindNumber kind, std::chrono::microseconds run_time) {
  const std::int64_t sample =
      std::clamp(run_time, std::chrono::microseconds{0}, kRunTimeMax).count() * kSixteen;
  Average& average = averages_[kind];
  average.samples = std::min(average.samples + 1, kUsualRunSamples);
  average.sixteenths_us += (sample - average.sixteenths_us) / average.samples;
}

}  // namespace tenure::daemon
