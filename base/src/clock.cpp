#include <tenure/base/clock.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <mutex>

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

struct VirtualClock::State {
  std::mutex mutex;
  WallTime wall;
  Instant steady;
};

VirtualClock::VirtualClock(WallTime start) : state_(std::make_unique<State>()) { state_->wall = start; }
VirtualClock::~VirtualClock() = default;

WallTime VirtualClock::wall() const {
  const std::lock_guard lock(state_->mutex);
  return state_->wall;
}

Instant VirtualClock::steady() const {
  const std::lock_guard lock(state_->mutex);
  return state_->steady;
}

void VirtualClock::advance(microseconds by) {
  const std::lock_guard lock(state_->mutex);
  state_->wall += by;
  state_->steady = state_->steady + by;
}

void VirtualClock::jump_wall(microseconds by) {
  const std::lock_guard lock(state_->mutex);
  state_->wall += by;
}

}  // namespace tenure
