#include <tenure/base/clock_leaps.hpp>

namespace tenure {

bool ClockLeaps::saw(WallTime wall, Instant steady) {
  const bool is_first = !last_;
  const auto gone = is_first ? std::chrono::microseconds{0} : steady - last_->steady;
  const bool has_leapt = !is_first && wall - last_->wall > gone + gone / kDriftDivisor +
                                                               std::chrono::microseconds{kCorrectionMax};
  if (has_leapt) leapt_ = steady;
  last_ = Look{wall, steady};
  return has_leapt;
}

bool ClockLeaps::has_leapt_within(std::chrono::microseconds time, Instant now) const {
  return leapt_ && now - *leapt_ < time;
}

}  // namespace tenure
