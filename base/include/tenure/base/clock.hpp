#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace tenure {

// Wall-clock time with the resolution in which it is stored: whole microseconds since 1970, UTC.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

// A point of the steady clock: for durations and deadlines inside one machine, never stored.
struct Instant {
  std::chrono::microseconds since_start{0};
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant a, std::chrono::microseconds b) { return {a.since_start + b}; }
  friend constexpr Instant operator-(Instant a, std::chrono::microseconds b) { return {a.since_start - b}; }
  friend constexpr std::chrono::microseconds operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};

[[nodiscard]] constexpr std::int64_t to_us(WallTime time) { return time.time_since_epoch().count(); }
[[nodiscard]] constexpr WallTime from_us(std::int64_t us) { return WallTime{std::chrono::microseconds{us}}; }

// "2026-03-02T10:14:00.000123Z"; whole seconds are printed without the fraction.
[[nodiscard]] std::string to_rfc3339(WallTime time);

// The only door to time. Whoever decides by time is handed a Clock, or `now` itself.
// Threads: every method from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual Instant steady() const = 0;
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] Instant steady() const override;
};

// Stands still until told. Both clocks advance together; only the wall clock can jump.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(WallTime start = from_us(1'700'000'000'000'000));
  ~VirtualClock() override;
  VirtualClock(const VirtualClock&) = delete;
  VirtualClock& operator=(const VirtualClock&) = delete;
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] Instant steady() const override;
  void advance(std::chrono::microseconds by);
  void jump_wall(std::chrono::microseconds by);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenure
