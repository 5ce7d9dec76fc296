#pragma once

#include <tenure/base/clock.hpp>

#include <chrono>
#include <cstdint>

namespace tenure::cli {

// How fast copies are made: so many bytes a second at most, all of them together. Without I/O.
class CopyPace {
 public:
  // 0: as fast as it goes.
  CopyPace(std::int64_t bytes_per_second, Instant begun) : rate_(bytes_per_second), begun_(begun) {}

  // Of the copy under way; the one before has ended where it is less.
  void copied(std::int64_t bytes) {
    if (bytes < last_) before_ += last_;
    last_ = bytes;
  }
  // Until as much may have been copied.
  [[nodiscard]] std::chrono::milliseconds wait(Instant now) const {
    if (rate_ == 0) return {};
    const std::chrono::duration<double> due{static_cast<double>(before_ + last_) /
                                            static_cast<double>(rate_)};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - (now - begun_));
    return left > std::chrono::milliseconds{0} ? left : std::chrono::milliseconds{0};
  }

 private:
  std::int64_t rate_;
  Instant begun_;
  std::int64_t before_ = 0;
  std::int64_t last_ = 0;
};

}  // namespace tenure::cli
