#pragma once

#include <tenure/base/clock.hpp>

#include <chrono>
#include <optional>

namespace tenure {

// Notices, by the steady clock, that the wall clock has been put forward: then what was written before looks older than it is. A
// suspended machine looks the same. What happened before the first look is not noticed.
// Threads: one at a time.
class ClockLeaps {
 public:
  // What the wall clock may gain on the steady one between two looks: a correction, and what clocks drift while they are slewed.
  static constexpr std::chrono::minutes kCorrectionMax{1};
  static constexpr int kDriftDivisor = 1000;

  // Both clocks, read together. Whether the wall clock has been put forward since the last look.
  bool saw(WallTime wall, Instant steady);
  // Whether that has happened within so long, by the steady clock.
  [[nodiscard]] bool has_leapt_within(std::chrono::microseconds time, Instant now) const;

 private:
  struct Look {
    WallTime wall{};
    Instant steady;
  };
  std::optional<Look> last_;
  std::optional<Instant> leapt_;
};

}  // namespace tenure
