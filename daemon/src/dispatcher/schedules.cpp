#include "schedules.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::size_t kWhyShown = 500;  // bytes

std::optional<WallTime> next_of(const queue::ScheduleRecord& schedule) {
  // The store keeps none that cannot be read; the machine's time zones may have changed since.
  const auto rule = queue::read_rule(schedule.entry.rule);
  return rule ? queue::next_due_of(schedule, *rule) : std::nullopt;
}

// What is to be done about one that is due.
std::optional<queue::TickOrder> order_of(const queue::ScheduleRecord& schedule, WallTime now) {
  if (schedule.fan_out)
    return queue::TickOrder{.schedule = schedule.number,
                            .revision = schedule.revision,
                            .decided = schedule.decided,
                            .until = schedule.decided};
  const auto rule = queue::read_rule(schedule.entry.rule);
  return rule ? queue::due_order(schedule, *rule, now) : std::nullopt;
}

}  // namespace

void Schedules::read(queue::OpenSchedules open) {
  mark_ = open.mark;
  known_.clear();
  for (queue::ScheduleRecord& schedule : open.schedules) {
    Known known{.schedule = std::move(schedule)};
    known.next = next_of(known.schedule);
    known_.emplace(known.schedule.number, std::move(known));
  }
  // An operator may have put one behind another.
  releases_ = true;
}

std::optional<TicksPart::Ask> Schedules::ask(Now now) const {
  TicksPart::Ask ask{.declared = to_declare_, .orders = {}, .tenants_max = 0};
  const auto add = [&](const Known& known) {
    if (!known.is_due(now) || ask.orders.size() == kTickOrdersMax) return;
    if (auto order = order_of(known.schedule, now.wall))
      ask.orders.push_back({known.schedule.entry.name, std::move(*order)});
  };
  // In turns: ticks of many tenants, which are due for a long time, keep no other schedule back.
  const auto first = known_.upper_bound(asked_until_);
  for (auto next = first; next != known_.end(); ++next) add(next->second);
  for (auto next = known_.begin(); next != first; ++next) add(next->second);
  if (!ask.declared && ask.orders.empty()) return std::nullopt;
  ask.tenants_max = kTickTenantsMax / std::max<std::size_t>(1, ask.orders.size());
  return ask;
}

void Schedules::answered(const TicksPart::Ask& ask, const TicksPart::Answer& answer, Now now,
                         Actions& actions) {
  if (ask.declared == to_declare_) to_declare_.reset();
  if (!ask.orders.empty()) asked_until_ = ask.orders.back().order.schedule;
  for (std::size_t index = 0; index < ask.orders.size(); ++index) {
    const TicksPart::Order& order = ask.orders[index];
    const queue::TickReply& reply = answer[index];
    // The other one may have ended already.
    releases_ = releases_ || reply.blocked > 0;
    const auto found = known_.find(order.order.schedule);
    if (found == known_.end()) continue;
    Known& known = found->second;
    if (reply.is_stale) {
      known_.erase(found);  // until it is read again
      mark_ = queue::SchedulesMark{-1};
      continue;
    }
    note(order, reply, now, actions);
    if (reply.is_waiting) {
      known.not_before = now.steady + kTenantWait;
      continue;
    }
    known.schedule.decided = reply.decided;
    known.schedule.noted = reply.noted;
    known.schedule.fan_out = reply.fan_out;
    known.next = next_of(known.schedule);
  }
}

std::optional<queue::JobSeq> Schedules::release_after(Instant now) const {
  if (release_after_) return release_after_;
  const bool is_time = (releases_ && now >= next_release_) || (look_again_ && now >= *look_again_);
  return is_time ? std::optional{queue::JobSeq{0}} : std::nullopt;
}

// What ends or comes while pages are read is for the next look.
void Schedules::released(const queue::ReleasedJobs& page, Instant now) {
  if (!release_after_) {
    releases_ = false;
    left_ = 0;
    next_release_ = now + kReleasePause;
    look_again_.reset();
  }
  left_ += page.left;
  release_after_ = page.read_until;
  if (release_after_) return;
  blocked_ = left_;
  if (blocked_ > 0) look_again_ = now + std::max(kReleaseLook, std::chrono::milliseconds{blocked_});
}

void Schedules::note(const TicksPart::Order& order, const queue::TickReply& reply, Now now,
                     Actions& actions) {
  const bool has_missed = order.order.missed_count > 0 && !reply.is_waiting;
  if (reply.refused == 0 && !reply.skipped && !has_missed) return;
  const auto told = told_.find(order.order.schedule);
  if (told != told_.end() && now.steady < told->second + kScheduleNotePause) return;
  told_[order.order.schedule] = now.steady;
  Note note{
      .level = Note::Level::warning, .event = "schedule.refused", .message = {}, .pool = {}, .process = {}};
  if (reply.refused > 0) {
    note.message = fmt::format("A tick of schedule {} made no job for {}: {}", order.name,
                               reply.refused == 1 ? "one" : fmt::format("{} of its tenants", reply.refused),
                               escaped(reply.why, kWhyShown));
  } else if (reply.skipped) {
    note.event = "schedule.skipped";
    note.message =
        fmt::format("A tick of schedule {} was skipped: {}.", order.name, escaped(reply.why, kWhyShown));
  } else {
    note.event = "schedule.missed";
    note.message = fmt::format(
        "{} of schedule {} passed while it was paused or nobody could decide {}, and its catch_up lets none "
        "of "
        "{} fire.",
        order.order.missed_count == 1 ? "A tick" : fmt::format("{} ticks", order.order.missed_count),
        order.name, order.order.missed_count == 1 ? "it" : "them",
        order.order.missed_count == 1 ? "it" : "these");
  }
  actions.emplace_back(std::move(note));
}

std::optional<Instant> Schedules::next_at(Now now) const {
  std::optional<Instant> next;
  if (releases_ && !release_after_) next = next_release_;
  if (look_again_ && (!next || *look_again_ < *next)) next = look_again_;
  for (const auto& [number, known] : known_) {
    if (!known.next) continue;
    const Instant at = std::max(now.steady + (*known.next - now.wall), known.not_before);
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace tenure::daemon
