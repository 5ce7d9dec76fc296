#pragma once

#include <tenure/base/clock.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tenure::daemon {

// What is counted of the last span of time that is over and of the one under way: the latest figures, with no jump where a span ends.
// Threads: one at a time.
template <class Counts>
class TwoSpans {
 public:
  TwoSpans(std::chrono::seconds length, Instant now) : length_(length), begun_at_(now) {}

  // To be called before something is counted or looked at.
  void pass(Instant now) {
    if (now - begun_at_ < length_) return;
    const auto spans = (now - begun_at_) / length_;
    former_ = spans == 1 ? std::move(current_) : Counts{};
    current_ = Counts{};
    begun_at_ = begun_at_ + spans * length_;
    has_former_ = true;
  }
  // What is counted in.
  [[nodiscard]] Counts& current() { return current_; }
  [[nodiscard]] const Counts& former() const { return former_; }
  [[nodiscard]] const Counts& current() const { return current_; }
  // How long both are together, a second at least.
  [[nodiscard]] std::chrono::microseconds covered(Instant now) const {
    const std::chrono::microseconds both =
        now - begun_at_ + (has_former_ ? length_ : std::chrono::microseconds{0});
    return std::max<std::chrono::microseconds>(both, std::chrono::seconds{1});
  }

 private:
  std::chrono::microseconds length_;
  Instant begun_at_;
  bool has_former_ = false;
  Counts former_{}, current_{};
};

}  // namespace tenure::daemon
