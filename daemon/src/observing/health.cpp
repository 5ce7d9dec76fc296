#include "health.hpp"

#include "metric_table.hpp"

#include <tenure/base/json.hpp>

#include <variant>

namespace tenure::daemon {

void Health::lock_taken(Instant now) {
  has_lock_ = true;
  lock_since_ = now;
}

void Health::happened(const Event& event, Instant now) {
  if (std::holds_alternative<RoundDone>(event)) {
    store_answered(now);
  } else if (const auto* const ready = std::get_if<WorkerReady>(&event)) {
    if (workers_.insert(ready->process).second) workers_since_ = now;
  } else if (const auto* const gone = std::get_if<WorkerGone>(&event)) {
    if (workers_.erase(gone->process) != 0) workers_since_ = now;
  } else if (std::holds_alternative<StopAsked>(event)) {
    set_serving(false, now);
  }
}

void Health::decided(const Actions& actions, Instant now) {
  for (const Action& action : actions) {
    // One that failed is asked again, and has not been answered since the first time.
    if (std::holds_alternative<RunRound>(action) && !asked_since_) asked_since_ = now;
    if (std::holds_alternative<Serving>(action)) set_serving(true, now);
    if (std::holds_alternative<Leave>(action)) set_serving(false, now);
  }
}

void Health::disk_looked_at(std::uint64_t free_bytes, Instant now) {
  disk_at_ = now;
  is_disk_full_ = free_bytes < kFreeMin;
}

void Health::store_answered(Instant now) {
  asked_since_.reset();
  answered_at_ = now;
}

void Health::set_serving(bool is_serving, Instant now) {
  if (is_serving_ == is_serving) return;
  is_serving_ = is_serving;
  has_served_ |= is_serving;
  serving_since_ = now;
}

Health::Answer Health::answer(Probe probe, Instant now) const {
  Answer answer{.is_ok = true, .checks = {}};
  switch (probe) {
    case Probe::live:
      answer.checks = {loop(now)};
      break;
    case Probe::ready:
      answer.checks = {loop(now), serving(now), lock(now), store(now), workers(now), disk(now)};
      break;
    case Probe::started:
      answer.checks = {
          {"started", has_served_, now - serving_since_, has_served_ ? "has dispatched" : "is starting"}};
      break;
  }
  for (const Check& check : answer.checks) answer.is_ok &= check.is_ok;
  return answer;
}

void Health::add_to(MetricFamilies& families, Instant now) const {
  families.add(metric::kTickAge, {}, static_cast<double>((now - ticked_at_).count()) / 1e6);
  families.add(metric::kLockHeld, {}, has_lock_ ? 1 : 0);
  families.add(metric::kReady, {}, answer(Probe::ready, now).is_ok ? 1 : 0);
}

Health::Check Health::loop(Instant now) const {
  const bool is_ok = now - ticked_at_ <= kLoopMax;
  return {"loop", is_ok, now - ticked_at_, is_ok ? "turns" : "is stuck"};
}

Health::Check Health::serving(Instant now) const {
  const std::string_view not_now = has_served_ ? "is stopping" : "is starting";
  const std::string_view now_so = is_quiet_ ? "quiet" : "claims jobs";
  return {"serving", is_serving_, now - serving_since_, is_serving_ ? now_so : not_now};
}

Health::Check Health::lock(Instant now) const {
  return {"lock", has_lock_, now - lock_since_, has_lock_ ? "held" : "standing by for another process"};
}

Health::Check Health::store(Instant now) const {
  const auto age = now - answered_at_.value_or(asked_since_.value_or(now));
  const bool is_late = asked_since_ && now - *asked_since_ > kStoreMax;
  if (is_late) return {"store", false, age, "does not answer"};
  if (!answered_at_) return {"store", false, age, "was not asked yet"};
  return {"store", true, age, "answers"};
}

Health::Check Health::workers(Instant now) const {
  return {"workers", !workers_.empty(), now - workers_since_,
          workers_.empty() ? "no worker process is up" : "up"};
}

Health::Check Health::disk(Instant now) const {
  if (!disk_at_) return {"disk", true, std::chrono::microseconds{0}, "was not looked at yet"};
  return {"disk", !is_disk_full_, now - *disk_at_, is_disk_full_ ? "is full" : "has room"};
}

std::string json_of(const Health::Answer& answer) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.health/1").key("ok").boolean(answer.is_ok);
  writer.key("checks").begin_object();
  for (const Health::Check& check : answer.checks)
    writer.key(check.name)
        .begin_object()
        .key("ok")
        .boolean(check.is_ok)
        .key("says")
        .string(check.says)
        .key("age_s")
        .number(static_cast<double>(check.age.count()) / 1e6)
        .end_object();
  writer.end_object().end_object();
  return out + '\n';
}

}  // namespace tenure::daemon
