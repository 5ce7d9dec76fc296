#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// What clocks on the wall show at a place, by the time zone data of the machine (Debian: tzdata).
namespace tenure {

// A stretch of time through which the clocks of a place stand by the same distance from UTC. Whole seconds.
struct ZoneSpan {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;    // the first second that is not of it
  std::chrono::seconds offset{0};  // what the clocks show is UTC and this
  std::string abbreviation;        // "CEST"
  friend bool operator==(const ZoneSpan&, const ZoneSpan&) = default;
};

// A value; copies are cheap. Threads: every method from any thread.
class TimeZone {
 public:
  // "Europe/Berlin", "UTC", as the data spells it; BadOptions for a name that it does not have. The data is read once a process.
  // Behind 2037, where it ends, clocks are not changed any more.
  [[nodiscard]] static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] const std::string& name() const { return *name_; }
  [[nodiscard]] ZoneSpan span_at(std::chrono::sys_seconds time) const;

 private:
  TimeZone(std::shared_ptr<const std::string> name, const void* data);
  std::shared_ptr<const std::string> name_;
  const void* data_;  // the library's, for the life of the process
};

}  // namespace tenure
