#include <tenure/base/clock.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tenure {

using std::chrono::microseconds;

std::string to_rfc3339(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{seconds - day};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()),
                                 unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                                 clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = (time - seconds).count(); fraction != 0) text += fmt::format(".{:06}", fraction);
  return text + "Z";
}

WallTime RealClock::wall() const {
  return std::chrono::floor<microseconds>(std::chrono::system_clock::now());
}

Instant RealClock::steady() const {
  return {std::chrono::floor<microseconds>(std::chrono::steady_clock::now().time_since_epoch())};
}

VirtualClock::VirtualClock(WallTime start) : wall_(start) {}

WallTime VirtualClock::wall() const {
  const std::lock_guard lock(mutex_);
  return wall_;
}

Instant VirtualClock::steady() const {
  const std::lock_guard lock(mutex_);
  return steady_;
}

void VirtualClock::advance(microseconds by) {
  const std::lock_guard lock(mutex_);
  wall_ += by;
  steady_ = steady_ + by;
}

void VirtualClock::jump_wall(microseconds by) {
  const std::lock_guard lock(mutex_);
  wall_ += by;
}

}  // namespace tenure
