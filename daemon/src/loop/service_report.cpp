#include "service_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {

using std::chrono::microseconds;

void ServiceReport::standing_by(std::string_view holder) {
  phase_ = Phase::standing_by;
  fields_["READY"] = "1";
  status_ = fmt::format("standing by: {}", holder);
  fields_["STATUS"] = status_;
}

void ServiceReport::serving() {
  phase_ = Phase::serving;
  fields_["READY"] = "1";
  status_ = "dispatching";
  fields_["STATUS"] = status_;
}

void ServiceReport::reloading(Instant now) {
  fields_.erase("READY");  // one datagram must not say both
  fields_["RELOADING"] = "1";
  fields_["MONOTONIC_USEC"] = std::to_string(now.since_start.count());
}

void ServiceReport::reloaded() {
  fields_.erase("RELOADING");
  fields_.erase("MONOTONIC_USEC");
  if (phase_ != Phase::starting) fields_["READY"] = "1";
}

void ServiceReport::stopping() {
  phase_ = Phase::stopping;
  fields_["STOPPING"] = "1";
  status_at_.reset();  // what it is about to do is news
}

void ServiceReport::look(const Look& look, Instant now) {
  if (!look.round_since || now - *look.round_since <= kRoundMax) say_alive(now);
  if (phase_ == Phase::starting) return;
  if (phase_ == Phase::stopping && look.status.busy > 0)
    fields_["EXTEND_TIMEOUT_USEC"] = std::to_string(microseconds{kStopExtension}.count());
  if (!status_at_ || now - *status_at_ >= kStatusPause) say_status(status_text(look.status, now), now);
}

void ServiceReport::wait(Instant now) { say_alive(now); }

microseconds ServiceReport::period() const {
  constexpr microseconds kPeriodMax = std::chrono::seconds{1};
  return watchdog_ ? std::min(kPeriodMax, *watchdog_ / 4) : kPeriodMax;
}

std::string ServiceReport::untold() const {
  std::string text;
  for (const auto& [name, value] : fields_) text += fmt::format("{}={}\n", name, value);
  return text;
}

void ServiceReport::say_alive(Instant now) {
  if (!watchdog_ || (alive_at_ && now - *alive_at_ < *watchdog_ / 2)) return;
  alive_at_ = now;
  fields_["WATCHDOG"] = "1";
}

void ServiceReport::say_status(std::string text, Instant now) {
  status_at_ = now;
  if (text == status_) return;
  status_ = std::move(text);
  fields_["STATUS"] = status_;
}

std::string ServiceReport::status_text(const DispatcherStatus& status, Instant now) {
  const std::int64_t started = status.started - std::exchange(started_, status.started);
  if (phase_ == Phase::stopping) return fmt::format("stopping: {} jobs still run", status.busy);
  const auto seconds = status_at_ ? (now - *status_at_).count() / 1'000'000 : 0;
  std::string text = fmt::format("{}/{} slots, {} lanes wait", status.busy, status.slots, status.lanes);
  if (status.parked > 0) text += fmt::format(", {} of them at a gate", status.parked);
  if (status.quiet) {
    const std::string which = status.quiet_pools < status.pools
                                  ? fmt::format("{} of {} pools ", status.quiet_pools, status.pools)
                                  : "";
    text += fmt::format("; {}quiet since {} by uid {}", which, to_rfc3339(status.quiet->since),
                        status.quiet->uid);
  }
  if (seconds > 0) text += fmt::format("; {} starts/s", started / seconds);
  return text;
}

}  // namespace tenure::daemon
