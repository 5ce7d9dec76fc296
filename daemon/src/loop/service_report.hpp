#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tenure::daemon {

// What the service manager that has started us is told and when, in the words of systemd's notify protocol (sd_notify(3)). A machine
// without I/O; ServiceManager sends what it says.
// Threads: one at a time.
class ServiceReport {
 public:
  // A round of the store that takes longer is no sign of life: a writer waits 30 s at most for its turn.
  static constexpr std::chrono::seconds kRoundMax{40};
  // A status that has changed is told that often at most: each costs the service manager a message to all who listen.
  static constexpr std::chrono::seconds kStatusPause{5};
  // While jobs still end, the time to stop is extended by so much with each look.
  static constexpr std::chrono::seconds kStopExtension{10};

  // `watchdog` is how long the service manager waits for a sign of life before it ends us; nothing: for ever.
  explicit ServiceReport(std::optional<std::chrono::microseconds> watchdog) : watchdog_(watchdog) {}

  // Another one dispatches: for the service manager we are up, and do what we are for.
  void standing_by(std::string_view holder);
  // Jobs are claimed from now on.
  void serving();
  // The configuration is read again, from that moment of the monotonic clock until reloaded().
  void reloading(Instant now);
  void reloaded();
  // No job is claimed any more.
  void stopping();

  // What it looks at.
  struct Look {
    DispatcherStatus status;
    std::optional<Instant> round_since;  // of the round under way
  };
  // To be called every period(): on the dispatcher's own thread, so that a loop that stands still gives no sign of life.
  void look(const Look& look, Instant now);
  // The same while there is nothing to look at, standing by.
  void wait(Instant now);
  [[nodiscard]] std::chrono::microseconds period() const;

  // What has not been told, as one datagram; empty where nothing is to be.
  [[nodiscard]] std::string untold() const;
  void told() { fields_.clear(); }

 private:
  enum class Phase : std::uint8_t { starting, standing_by, serving, stopping };
  void say_alive(Instant now);
  void say_status(std::string text, Instant now);
  [[nodiscard]] std::string status_text(const DispatcherStatus& status, Instant now);

  std::optional<std::chrono::microseconds> watchdog_;
  Phase phase_ = Phase::starting;
  std::map<std::string, std::string, std::less<>>
      fields_;  // a later value takes the place of one that was not told
  std::string status_;
  std::optional<Instant> status_at_;
  std::optional<Instant> alive_at_;
  std::int64_t started_ = 0;  // jobs, as of status_at_
};

}  // namespace tenure::daemon
